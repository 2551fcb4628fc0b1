// What counting costs: the same pairs of calls through the same upstream, behind an adaptor that adds nothing (the hop)
// and behind a counting_adaptor. The two alternate in batches of a few microseconds, so that both meet the same
// neighbours; `hop_ns` and `counted_ns` are the lower quartiles of their batches, for one allocation and its
// deallocation, and `beyond_ns` is the difference. The goal for plain_counters is 1.5
// (docs/performance.md).

#include <allot/adaptor/counting_adaptor.hpp>
#include <allot/arena/bump_resource.hpp>

#include <benchmark/benchmark.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <cstddef>
#include <memory_resource>
#include <vector>

namespace {

template <class Upstream>
class pass_through final : public allot::adaptor_interface<pass_through<Upstream>, Upstream> {
  using base = allot::adaptor_interface<pass_through, Upstream>;
  friend base;
  friend allot::resource_interface<pass_through>;

public:
  static constexpr const char* class_name = "pass_through";
  explicit pass_through(Upstream& upstream) noexcept : base{upstream, nullptr} {}
};

constexpr int batch = 1024;

/// One block at a time: each call waits for what the one before it stored.
void single(std::pmr::memory_resource& r) {
  for (int i = 0; i < batch; ++i) {
    void* const p = r.allocate(32, 8);
    benchmark::DoNotOptimize(p);
    r.deallocate(p, 32, 8);
  }
}

/// Sixteen blocks out and back, the last one first.
void nested(std::pmr::memory_resource& r) {
  std::array<void*, 16> blocks;
  for (int i = 0; i < batch / 16; ++i) {
    for (void*& p : blocks)
      p = r.allocate(32, 8);
    for (std::size_t k = blocks.size(); k > 0; --k)
      r.deallocate(blocks[k - 1], 32, 8);
  }
}

using work = void (*)(std::pmr::memory_resource&);

double seconds(work pairs, std::pmr::memory_resource& r) {
  const auto start = std::chrono::steady_clock::now();
  pairs(r);
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

double lower_quartile(std::vector<double>& values) {
  const auto quarter = values.begin() + static_cast<std::ptrdiff_t>(values.size() / 4);
  std::nth_element(values.begin(), quarter, values.end());
  return *quarter;
}

/// Upstream is the arena by its type, or what the compiler knows no more of than `std::pmr::memory_resource`.
template <class Upstream, class Counters>
void beyond_the_hop(benchmark::State& state, work pairs) {
  allot::bump_resource<65536> arena;
  Upstream* upstream = &arena;
  benchmark::DoNotOptimize(upstream);
  pass_through<Upstream> hop{*upstream};
  allot::counting_adaptor<Upstream, Counters> counted{*upstream};

  std::vector<double> hops;
  std::vector<double> counts;
  for (auto _ : state) {
    hops.push_back(seconds(pairs, hop));
    counts.push_back(seconds(pairs, counted));
    state.SetIterationTime(counts.back());
  }
  const double hop_ns = lower_quartile(hops) * 1e9 / batch;
  const double counted_ns = lower_quartile(counts) * 1e9 / batch;
  state.counters["hop_ns"] = hop_ns;
  state.counters["counted_ns"] = counted_ns;
  state.counters["beyond_ns"] = counted_ns - hop_ns;
}

using arena = allot::bump_resource<65536>;
using unknown = std::pmr::memory_resource;
using plain = allot::plain_counters_t;
using shared = allot::shared_counters_t;
using sizes = allot::with_histogram<plain>;

template <class Upstream, class Counters>
void add(const char* name, work pairs) {
  benchmark::RegisterBenchmark(name, [pairs](benchmark::State& state) {
    beyond_the_hop<Upstream, Counters>(state, pairs);
  })->UseManualTime();
}

} // namespace

int main(int argc, char** argv) {
  add<arena, plain>("plain/known_upstream/single", single);
  add<arena, plain>("plain/known_upstream/nested", nested);
  add<unknown, plain>("plain/unknown_upstream/single", single);
  add<unknown, plain>("plain/unknown_upstream/nested", nested);
  add<arena, sizes>("plain_with_histogram/known_upstream/nested", nested);
  add<arena, shared>("shared/known_upstream/nested", nested);

  benchmark::Initialize(&argc, argv);
  if (benchmark::ReportUnrecognizedArguments(argc, argv)) return 1;
  benchmark::RunSpecifiedBenchmarks();
  benchmark::Shutdown();
  return 0;
}
