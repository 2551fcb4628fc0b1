#include <allot/arena/monotonic_resource.hpp>
#include <allot/arena/static_arena.hpp>

namespace {

constinit allot::static_arena<2048> memory;

} // namespace

int main() {
  allot::monotonic_resource arena{memory.claim()};
  return arena.allocate(32, 8) != nullptr ? 0 : 1;
}
