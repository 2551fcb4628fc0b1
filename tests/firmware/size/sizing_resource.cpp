#include <allot/arena/sizing_resource.hpp>
#include <allot/arena/static_arena.hpp>

namespace {

constinit allot::static_arena<256> memory;

} // namespace

int main() {
  allot::sizing_resource sizing{memory.claim()};
  (void)sizing.allocate(32, 8);
  return sizing.needed_bytes() == 32 ? 0 : 1;
}
