#include <allot/adaptor/counting_adaptor.hpp>
#include <allot/arena/static_arena.hpp>

namespace {

constinit allot::static_arena<256> memory;

} // namespace

int main() {
  allot::counting_adaptor counted{memory.claim()};
  (void)counted.allocate(32, 8);
  return counted.snapshot().live_bytes == 32 ? 0 : 1;
}
