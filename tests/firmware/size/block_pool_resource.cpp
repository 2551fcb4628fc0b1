#include <allot/core/static_slot.hpp>
#include <allot/pool/block_pool_resource.hpp>

namespace {

constinit allot::static_slot<allot::block_pool_resource<16>, 256> memory;

} // namespace

int main() {
  auto& pool = memory.claim();
  void* const block = pool.allocate(16, 8);
  pool.deallocate(block, 16, 8);
  return pool.used() == 0 ? 0 : 1;
}
