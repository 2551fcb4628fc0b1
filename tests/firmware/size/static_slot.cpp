#include <allot/core/static_slot.hpp>
#include <allot/source/static_resource.hpp>

namespace {

constinit allot::static_slot<allot::static_resource<>, 256> memory;

} // namespace

int main() { return memory.claim().try_allocate(256, 8) != nullptr ? 0 : 1; }
