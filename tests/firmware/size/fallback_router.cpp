#include <allot/arena/static_arena.hpp>
#include <allot/router/fallback_router.hpp>

namespace {

constinit allot::static_arena<64> small;
constinit allot::static_arena<256> large;

} // namespace

int main() {
  allot::fallback_router both{small.claim(), large.claim()};
  return both.allocate(128, 8) != nullptr ? 0 : 1;
}
