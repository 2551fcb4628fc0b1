// Arenas side by side. Through the interface and on the concrete type: 1024 blocks of 8 to 32 bytes out of warm memory, then
// everything back at once. Growing: 1 MiB of 32 B from nothing, over new and delete. Times are for one allocation.

#include <allot/arena/bump_resource.hpp>
#include <allot/arena/monotonic_resource.hpp>

#include "support/ratio_table.hpp"

#include <benchmark/benchmark.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <memory_resource>
#include <span>
#include <type_traits>

#ifdef __GLIBC__
#include <malloc.h>
#endif

#if ALLOT_HAS_BOOST_CONTAINER
#include <boost/container/pmr/monotonic_buffer_resource.hpp>
#endif

namespace {

constexpr std::size_t blocks = 1024;
alignas(4096) std::array<std::byte, 64 * 1024> memory;

/// 8, 16, 24 or 32, in an order that a branch predictor cannot learn and every run repeats.
const std::array<std::size_t, blocks> sizes = [] {
  std::array<std::size_t, blocks> all{};
  std::uint32_t x = 12345;
  for (std::size_t& size : all) {
    x = x * 1664525 + 1013904223;
    size = 8 + (x >> 30) * 8;
  }
  return all;
}();

/// The least that a virtual bump can do: one subtract and one store, and it never looks where it is.
class least_bump final : public std::pmr::memory_resource {
public:
  explicit least_bump(std::span<std::byte> bytes) noexcept : end_{bytes.data() + bytes.size()}, cursor_{end_} {}
  void reset() noexcept { cursor_ = end_; }

private:
  void* do_allocate(std::size_t bytes, std::size_t) override { return cursor_ -= bytes; }
  void do_deallocate(void*, std::size_t, std::size_t) override {}
  bool do_is_equal(const memory_resource& other) const noexcept override { return this == &other; }

  std::byte* end_;
  std::byte* cursor_;
};

/// malloc behind the interface: frees block by block, which is the whole difference to an arena.
class malloc_list final : public std::pmr::memory_resource {
public:
  explicit malloc_list(std::span<std::byte>) noexcept {}
  ~malloc_list() override { reset(); }
  void reset() noexcept {
    while (count_ > 0)
      std::free(live_[--count_]);
  }

private:
  void* do_allocate(std::size_t bytes, std::size_t) override { return live_[count_++] = std::malloc(bytes); }
  void do_deallocate(void*, std::size_t, std::size_t) override {}
  bool do_is_equal(const memory_resource& other) const noexcept override { return this == &other; }

  std::array<void*, blocks> live_{};
  std::size_t count_ = 0;
};

template <class Monotonic>
class buffered : public Monotonic {
public:
  explicit buffered(std::span<std::byte> bytes) : Monotonic{bytes.data(), bytes.size()} {}
  void reset() {
    if constexpr (requires(Monotonic & m) { m.Monotonic::reset(); }) {
      Monotonic::reset();
    } else {
      this->release();
    }
  }
};

template <class Resource>
void through_interface(benchmark::State& state) {
  Resource arena{std::span{memory}};
  auto* base = &static_cast<
      std::conditional_t<std::is_base_of_v<std::pmr::memory_resource, Resource>, std::pmr::memory_resource, Resource>&>(
      arena);
  benchmark::DoNotOptimize(base);
  for (auto _ : state) {
    for (const std::size_t size : sizes)
      benchmark::DoNotOptimize(base->allocate(size, 8));
    arena.reset();
  }
  state.SetItemsProcessed(state.iterations() * static_cast<std::int64_t>(blocks));
}

template <class Resource>
void concrete(benchmark::State& state) {
  Resource arena{std::span{memory}};
  benchmark::DoNotOptimize(&arena);
  for (auto _ : state) {
    for (const std::size_t size : sizes)
      benchmark::DoNotOptimize(arena.allocate(size, 8));
    arena.reset();
  }
  state.SetItemsProcessed(state.iterations() * static_cast<std::int64_t>(blocks));
}

constexpr std::size_t grown = std::size_t{1} << 20;

template <class Monotonic>
void growing(benchmark::State& state) {
  for (auto _ : state) {
    Monotonic arena{std::pmr::new_delete_resource()};
    for (std::size_t i = 0; i < grown / 32; ++i)
      benchmark::DoNotOptimize(arena.allocate(32, 8));
  }
  state.SetItemsProcessed(state.iterations() * static_cast<std::int64_t>(grown / 32));
}

/// The same where one chunk was large enough from the start.
void never_growing(benchmark::State& state) {
  for (auto _ : state) {
    allot::monotonic_resource<> arena{grown, std::pmr::new_delete_resource()};
    for (std::size_t i = 0; i < grown / 32; ++i)
      benchmark::DoNotOptimize(arena.allocate(32, 8));
  }
  state.SetItemsProcessed(state.iterations() * static_cast<std::int64_t>(grown / 32));
}

using bump = allot::bump_resource<>;
using bump8 = allot::bump_resource<std::dynamic_extent, 8>;
using monotonic = buffered<allot::monotonic_resource<>>;
using monotonic8 = buffered<allot::monotonic_resource<std::pmr::memory_resource, 8>>;
using std_monotonic = buffered<std::pmr::monotonic_buffer_resource>;
#if ALLOT_HAS_BOOST_CONTAINER
using boost_monotonic = buffered<boost::container::pmr::monotonic_buffer_resource>;
#endif

BENCHMARK(through_interface<least_bump>)->Name("interface/the least virtual bump");
BENCHMARK(through_interface<bump>)->Name("interface/bump_resource");
BENCHMARK(through_interface<bump8>)->Name("interface/bump_resource, MinAlign 8");
BENCHMARK(through_interface<monotonic>)->Name("interface/monotonic_resource");
BENCHMARK(through_interface<monotonic8>)->Name("interface/monotonic_resource, MinAlign 8");
BENCHMARK(through_interface<std_monotonic>)->Name("interface/std monotonic_buffer_resource");
#if ALLOT_HAS_BOOST_CONTAINER
BENCHMARK(through_interface<boost_monotonic>)->Name("interface/Boost.Container monotonic_buffer_resource");
#endif
BENCHMARK(through_interface<malloc_list>)->Name("interface/malloc and free");

BENCHMARK(concrete<bump>)->Name("concrete/bump_resource");
BENCHMARK(concrete<bump8>)->Name("concrete/bump_resource, MinAlign 8");
BENCHMARK(concrete<monotonic>)->Name("concrete/monotonic_resource");
BENCHMARK(concrete<std_monotonic>)->Name("concrete/std monotonic_buffer_resource");

#if ALLOT_HAS_BOOST_CONTAINER
BENCHMARK(concrete<boost_monotonic>)->Name("concrete/Boost.Container monotonic_buffer_resource");
#endif

BENCHMARK(never_growing)->Name("growing/one chunk of 1 MiB");
BENCHMARK(growing<allot::monotonic_resource<>>)->Name("growing/monotonic_resource");
BENCHMARK(growing<std::pmr::monotonic_buffer_resource>)->Name("growing/std monotonic_buffer_resource");

} // namespace

int main(int argc, char** argv) {
#ifdef __GLIBC__
  // Without this, "growing" measures how often glibc gives 2 MiB back to the kernel and takes them again. To see that:
  // ALLOT_BENCH_DEFAULT_MALLOC=1.
  if (std::getenv("ALLOT_BENCH_DEFAULT_MALLOC") == nullptr) {
    mallopt(M_TRIM_THRESHOLD, 1 << 28);
    mallopt(M_MMAP_THRESHOLD, 1 << 28);
  }
#endif
  return bench::compare(argc, argv);
}
