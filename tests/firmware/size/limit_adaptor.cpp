#include <allot/adaptor/limit_adaptor.hpp>
#include <allot/arena/static_arena.hpp>

namespace {

constinit allot::static_arena<256> memory;

} // namespace

int main() {
  allot::limit_adaptor capped{memory.claim(), 128};
  (void)capped.allocate(32, 8);
  return capped.used() == 32 ? 0 : 1;
}
