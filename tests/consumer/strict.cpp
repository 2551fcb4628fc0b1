// What a project with every warning on and -Werror makes of allot's headers: the templates that users name most.
#include <allot/allot.hpp>

#include <array>
#include <cstdio>
#include <memory_resource>
#include <vector>

using namespace allot::literals;

namespace {

constinit allot::static_arena<4_KiB> memory;
constinit allot::static_buffer<64> buffer;

template <class Resource>
bool serves(Resource& resource) {
  void* const p = resource.allocate(24, 8);
  resource.deallocate(p, 24, 8);
  return p != nullptr && resource.try_allocate(0, 1) != nullptr;
}

bool pools(std::pmr::memory_resource& heap) {
  alignas(16) std::array<std::byte, 512> bytes{};
  allot::block_pool_resource<32> blocks{bytes};
  allot::pool_resource pool{&heap};
  allot::concurrent_pool_resource shared{&heap};
  return serves(blocks) && serves(pool) && serves(shared);
}

bool layers() {
  allot::malloc_resource heap;
  allot::bump_resource<1_KiB> arena;
  allot::monotonic_resource rest{&heap};
  allot::fallback_router both{arena, rest};
  allot::counting_adaptor counted{both};
  allot::limit_adaptor capped{counted, 16_KiB};
  allot::tag_adaptor tagged{capped};
  allot::synchronized_adaptor locked{tagged};
  allot::aligned_adaptor aligned{locked, 16};
  std::array<char, 2048> text{};
  return serves(aligned) && !allot::report::text(aligned, text).truncated();
}

bool objects() {
  allot::bump_resource<1_KiB> arena;
  auto numbers = allot::vector_in<int>(arena, 3);
  numbers.push_back(1);
  const auto one = allot::unique_in<int>(arena, 1);
  const auto shared = allot::shared_in<int>(arena, 1);
  const std::pmr::vector<int> copy(numbers.begin(), numbers.end(), &arena);
  return *one == *shared && copy.size() == 1 && allot::string_in(arena, 9).empty();
}

} // namespace

int main() {
  allot::once<int> value;
  value.call_once([] { return 1; });
  auto& arena = memory.claim("arena");
  allot::malloc_resource heap;
  const bool all = serves(arena) && pools(heap) && layers() && objects() && buffer.claim().size() == 64 && *value == 1;
  std::puts(all ? "all is well" : "something is wrong");
  return all ? 0 : 1;
}
