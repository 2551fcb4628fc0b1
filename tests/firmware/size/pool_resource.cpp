#include <allot/arena/static_arena.hpp>
#include <allot/pool/pool_resource.hpp>

namespace {

constinit allot::static_arena<1024> memory;

} // namespace

int main() {
  allot::pool_resource pool{memory.claim()};
  void* const block = pool.allocate(16, 8);
  pool.deallocate(block, 16, 8);
  return pool.used() == 0 ? 0 : 1;
}
