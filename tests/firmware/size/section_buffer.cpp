#include <allot/source/section_buffer.hpp>

namespace {

ALLOT_SECTION_BUFFER(memory, 256, 8, ".usbsram");

} // namespace

int main() { return memory.claim_zeroed().back() == std::byte{0} ? 0 : 1; }
