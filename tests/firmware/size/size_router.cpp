#include <allot/arena/static_arena.hpp>
#include <allot/router/size_router.hpp>

namespace {

constinit allot::static_arena<64> small;
constinit allot::static_arena<256> large;

} // namespace

int main() {
  allot::size_router both{allot::up_to(16, small.claim()), allot::otherwise(large.claim())};
  return both.allocate(128, 8) != nullptr ? 0 : 1;
}
