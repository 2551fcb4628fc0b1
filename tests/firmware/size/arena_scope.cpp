#include <allot/arena/arena_scope.hpp>
#include <allot/arena/static_arena.hpp>

namespace {

constinit allot::static_arena<256> memory;

} // namespace

int main() {
  auto& arena = memory.claim();
  {
    const allot::arena_scope scope{arena};
    (void)arena.allocate(32, 8);
  }
  return arena.used() == 0 ? 0 : 1;
}
