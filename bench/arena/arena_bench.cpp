// Arenas: a request's blocks out of warm memory, then everything back at once, through the interface and on the concrete type.
// An item is one allocation; malloc's includes its free. The blocks are not written to, so that a program's own cache misses
// come on top, for every arena alike.
//
//   warm_8_32      1,024 blocks of 8 to 32 bytes, then reset
//   mixed_8_256    1,024 blocks of 8 to 256 bytes, then reset
//   request_50     50 blocks of 8 to 256 bytes, then reset: what a small request does
//   concrete_8_32  as warm_8_32, with the arena known by its type

#include "support/arena_work.hpp"
#include "support/rows.hpp"

#include <benchmark/benchmark.h>

#include <cstdint>
#include <memory_resource>
#include <string>
#include <string_view>
#include <vector>

namespace {

using list = std::vector<std::uint32_t>;

/// What the growing one of the same name takes for the same requests. One that does not grow takes its buffer: how large that
/// is lies with the caller.
bench::footprint weigh(const bench::peer& who, const list& sizes) {
  const auto requests = [&sizes](bench::subject&, std::pmr::memory_resource& r) {
    for (const std::uint32_t size : sizes)
      benchmark::DoNotOptimize(r.allocate(size, 8));
  };
  for (const bench::peer& growing : peers_for(bench::part::growing)) {
    if (std::string_view{growing.name} == who.name) return bench::weigh(growing, {}, requests);
  }
  bench::footprint took = bench::weigh(who, {.buffer = bench::arena_memory()}, requests);
  took.reserved_is_known = false;
  return took;
}

void add(std::vector<bench::row>& rows, const std::string& workload, const list& sizes) {
  for (const bench::peer& who : peers_for(bench::part::arena)) {
    rows.push_back({"arena/" + workload + '/' + who.name,
                    [who, sizes](benchmark::State& state) {
                      const auto subject = who.make({.buffer = bench::arena_memory()});
                      std::pmr::memory_resource* r = &subject->resource();
                      benchmark::DoNotOptimize(r);
                      bench::time_arena(
                          state, *r, [&] { subject->reset(); }, sizes);
                    },
                    [who, sizes] { return weigh(who, sizes); }});
  }
}

void add_all(std::vector<bench::row>& rows) {
  add(rows, "warm_8_32", bench::small_sizes());
  add(rows, "mixed_8_256", bench::sizes_between(8, 256, 8, bench::arena_blocks));
  add(rows, "request_50", bench::sizes_between(8, 256, 8, 50));
  for (const bench::peer& who : peers_for(bench::part::arena)) {
    if (who.concrete != nullptr)
      rows.push_back({std::string{"arena/concrete_8_32/"} + who.name, who.concrete,
                      [who] { return weigh(who, bench::small_sizes()); }});
  }
}

const bench::group here{"arena", add_all};

} // namespace
