#include <allot/arena/atomic_bump_resource.hpp>
#include <allot/core/static_slot.hpp>

namespace {

constinit allot::static_slot<allot::atomic_bump_resource<>, 256> memory;

} // namespace

int main() { return memory.claim().allocate(32, 8) != nullptr ? 0 : 1; }
