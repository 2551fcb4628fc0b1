#include <allot/source/static_buffer.hpp>

namespace {

constinit allot::static_buffer<256> memory;

} // namespace

int main() { return memory.claim().size() == 256 ? 0 : 1; }
