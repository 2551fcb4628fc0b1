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
#include <vector>

namespace {

using list = std::vector<std::uint32_t>;

/// Its memory: what the growing one of the same name takes for the same requests, where there is one; else null.
const bench::peer* growing_twin(const std::vector<bench::peer>& growing, const bench::peer& who) {
  for (const bench::peer& other : growing) {
    if (std::string{other.name} == who.name) return &other;
  }
  return nullptr;
}

bench::footprint weigh(const bench::peer& twin, const list& sizes) {
  return bench::weigh(twin, {}, [&sizes](bench::subject&, std::pmr::memory_resource& r) {
    for (const std::uint32_t size : sizes)
      benchmark::DoNotOptimize(r.allocate(size, 8));
  });
}

void add(std::vector<bench::row>& rows, const std::string& workload, const list& sizes) {
  const auto growing = peers_for(bench::part::growing);
  for (const bench::peer& who : peers_for(bench::part::arena)) {
    bench::row line{"arena/" + workload + '/' + who.name,
                    [who, sizes](benchmark::State& state) {
                      const auto subject = who.make({.buffer = bench::arena_memory()});
                      std::pmr::memory_resource* r = &subject->resource();
                      benchmark::DoNotOptimize(r);
                      bench::time_arena(
                          state, *r, [&] { subject->reset(); }, sizes);
                    },
                    {}};
    if (const auto* const twin = growing_twin(growing, who))
      line.weigh = [twin = *twin, sizes] { return weigh(twin, sizes); };
    rows.push_back(line);
  }
}

void add_all(std::vector<bench::row>& rows) {
  add(rows, "warm_8_32", bench::small_sizes());
  add(rows, "mixed_8_256", bench::sizes_between(8, 256, 8, bench::arena_blocks));
  add(rows, "request_50", bench::sizes_between(8, 256, 8, 50));
  for (const bench::peer& who : peers_for(bench::part::arena)) {
    if (who.concrete != nullptr) rows.push_back({std::string{"arena/concrete_8_32/"} + who.name, who.concrete, {}});
  }
}

const bench::group here{"arena", add_all};

} // namespace
