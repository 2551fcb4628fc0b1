// Pools in one thread, while another one sleeps. An item is an allocation and its deallocation; a word is written to each
// block. 32: blocks of 32 bytes; mixed: 16 to 512 bytes.
//
//   lifo, fifo     64 blocks out; back the last one first, the first one first
//   random/n:N     N blocks out, back in a random order
//   churn/n:N      N blocks live, of which eight at random are freed and eight others taken
//   concrete_lifo  as lifo, with the pool known by its type
//
// Pools have the options that their library gives them by default, where it gives any. The floor is an inlined intrusive free
// list by size over the same memory, which keeps no figures; "floor, virtual" is the same behind `std::pmr::memory_resource`. A
// million live blocks show how the cost grows: allot's pools beside the floor, whose growth is the cache's.

#include "support/free_list.hpp"
#include "support/pool_work.hpp"
#include "support/rows.hpp"

#include <benchmark/benchmark.h>

#include <cstddef>
#include <memory_resource>
#include <string>
#include <string_view>
#include <vector>

namespace {

using bench::sizes;

/// For one size, the pools of one size and those of all sizes.
std::vector<bench::peer> peers_for(sizes which) {
  return bench::peers_for(which == sizes::same ? bench::part::block_pool : bench::part::pool);
}

template <sizes which, class Work>
void time_interface(benchmark::State& state, const bench::peer& who, Work work) {
  const auto subject = who.make({.block_bytes = bench::pool_block});
  std::pmr::memory_resource* r = &subject->resource();
  benchmark::DoNotOptimize(r);
  bench::time_pool<which>(state, work, *r);
}

/// The floor is inlined into the workload.
template <sizes which, class Work>
void time_floor(benchmark::State& state, Work work) {
  std::conditional_t<which == sizes::same, bench::one_free_list, bench::free_lists> list{
      std::pmr::new_delete_resource()};
  auto* r = &list;
  benchmark::DoNotOptimize(r);
  bench::time_pool<which>(state, work, *r);
}

template <class Work>
bench::footprint weigh(const bench::peer& who, Work work) {
  return bench::weigh(who, {.block_bytes = bench::pool_block}, [&work](bench::subject&, std::pmr::memory_resource& r) {
    work.begin(r);
    work.end(r);
  });
}

/// \param make_work  makes the workload: it may be large, and is not kept
template <sizes which, class MakeWork>
void add(std::vector<bench::row>& rows, const std::string& workload, MakeWork make_work, bool for_scale = false) {
  for (const bench::peer& who : peers_for(which)) {
    const std::string_view name = who.name;
    if (for_scale && name.find("floor") != 0 && !bench::is_allot(who)) continue;
    bench::row line{"pool/" + workload + '/' + who.name, {}, [who, make_work] { return weigh(who, make_work()); }};
    if (name == "floor") {
      line.time = [make_work](benchmark::State& state) { time_floor<which>(state, make_work()); };
    } else {
      line.time = [who, make_work](benchmark::State& state) { time_interface<which>(state, who, make_work()); };
    }
    rows.push_back(line);
  }
}

template <sizes which>
void add_shapes(std::vector<bench::row>& rows, const std::string& suffix) {
  using shape = bench::out_and_back<which>;
  add<which>(rows, "lifo_" + suffix, [] { return shape{64, shape::order::lifo}; });
  add<which>(rows, "fifo_" + suffix, [] { return shape{64, shape::order::fifo}; });
  for (const std::size_t n : {1'000UL, 10'000UL, 100'000UL, 1'000'000UL}) {
    const bool for_scale = n == 1'000'000;
    if (for_scale && which == sizes::mixed) continue;
    const std::string args = "/n:" + std::to_string(n);
    add<which>(
        rows, "random_" + suffix + args,
        [n] {
          return shape{n, shape::order::random};
        },
        for_scale);
    add<which>(
        rows, "churn_" + suffix + args, [n] { return bench::churn<which>{n}; }, for_scale);
  }
}

void add_all(std::vector<bench::row>& rows) {
  add_shapes<sizes::same>(rows, "32");
  add_shapes<sizes::mixed>(rows, "mixed");
  for (const bench::peer& who : peers_for(sizes::same)) {
    if (who.concrete == nullptr || std::string_view{who.name} == "floor, virtual") continue;
    using shape = bench::out_and_back<sizes::same>;
    rows.push_back({std::string{"pool/concrete_lifo_32/"} + who.name, who.concrete, [who] {
                      return weigh(who, shape{64, shape::order::lifo});
                    }});
  }
}

const bench::group here{"pool", add_all};

} // namespace
