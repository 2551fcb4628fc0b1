#include "contest.hpp"

#include <allot/adaptor/counting_adaptor.hpp>
#include <allot/arena/bump_resource.hpp>
#include <allot/arena/monotonic_resource.hpp>

#include <algorithm>
#include <array>
#include <chrono>
#include <memory_resource>
#include <new>

namespace tour {
namespace {

using clock = std::chrono::steady_clock;
using namespace std::chrono_literals;

/// From the empty map to the destroyed one.
void count_in(std::pmr::memory_resource& top, const text_file& file, progress& bar) {
  word_counts counts{top};
  count_words(file, counts, bar);
}

struct on_new_delete {
  static constexpr const char* name = "new/delete";

  static void pass(const text_file& file, std::span<std::byte>, progress& bar) {
    count_in(*std::pmr::new_delete_resource(), file, bar);
  }

  static void measure(const text_file& file, std::span<std::byte>, progress& bar, contender& row) {
    allot::counting_adaptor counted{*std::pmr::new_delete_resource()};
    count_in(counted, file, bar);
    const auto cost = counted.snapshot();
    row.requested = cost.total_bytes;
    row.peak = cost.peak_bytes;
    row.upstream_calls = cost.allocations; // what malloc takes from the system for them cannot be asked
  }
};

/// Counts above and below an arena that draws its chunks from `memory`.
template <class Arena>
void measure_arena(const text_file& file, std::span<std::byte> memory, progress& bar, contender& row) {
  allot::bump_resource slice{memory};
  allot::counting_adaptor chunks{slice};
  Arena arena{&chunks};
  allot::counting_adaptor counted{arena};
  count_in(counted, file, bar);
  row.requested = counted.snapshot().total_bytes;
  row.peak = counted.snapshot().peak_bytes;
  row.upstream_calls = chunks.snapshot().allocations;
  row.reserved = chunks.snapshot().peak_bytes;
}

struct on_std_monotonic {
  static constexpr const char* name = "std::pmr::monotonic";

  static void pass(const text_file& file, std::span<std::byte> memory, progress& bar) {
    allot::bump_resource slice{memory};
    std::pmr::monotonic_buffer_resource arena{&slice};
    count_in(arena, file, bar);
  }

  static void measure(const text_file& file, std::span<std::byte> memory, progress& bar, contender& row) {
    measure_arena<std::pmr::monotonic_buffer_resource>(file, memory, bar, row);
  }
};

struct on_allot {
  static constexpr const char* name = "allot, counted";

  static void pass(const text_file& file, std::span<std::byte> memory, progress& bar) {
    allot::bump_resource slice{memory};
    allot::monotonic_resource arena{&slice};
    allot::counting_adaptor counted{arena};
    count_in(counted, file, bar);
  }

  static void measure(const text_file& file, std::span<std::byte> memory, progress& bar, contender& row) {
    using chunks = allot::counting_adaptor<allot::bump_resource<>>;
    measure_arena<allot::monotonic_resource<chunks>>(file, memory, bar, row);
  }
};

/// One row on its way: its passes so far, and whether it still can run.
struct lane {
  void (*pass)(const text_file&, std::span<std::byte>, progress&);
  std::vector<clock::duration> passes;
  clock::duration spent{};
  bool out_of_memory = false;
};

template <class Way>
contender measured(const text_file& file, std::span<std::byte> memory, progress& bar, lane& runner) {
  contender row{.name = Way::name};
  runner.pass = &Way::pass;
  try {
    Way::measure(file, memory, bar, row);
  } catch (const std::bad_alloc&) {
    row = {.name = Way::name};
    runner.out_of_memory = true;
  }
  return row;
}

double lower_quartile(std::vector<clock::duration>& passes) {
  const auto quarter = passes.begin() + static_cast<std::ptrdiff_t>(passes.size() / 4);
  std::nth_element(passes.begin(), quarter, passes.end());
  return std::chrono::duration<double>(*quarter).count();
}

} // namespace

std::vector<contender> run_contest(const text_file& file, std::span<std::byte> memory) {
  progress bar{"comparing"};
  std::array<lane, 3> lanes{};
  std::vector<contender> rows{measured<on_new_delete>(file, memory, bar, lanes[0]),
                              measured<on_std_monotonic>(file, memory, bar, lanes[1]),
                              measured<on_allot>(file, memory, bar, lanes[2])};

  const auto unfinished = [](const lane& l) { return !l.out_of_memory && l.spent < 200ms; };
  while (std::any_of(lanes.begin(), lanes.end(), unfinished)) {
    for (lane& l : lanes) {
      if (l.out_of_memory) continue;
      const auto start = clock::now();
      l.pass(file, memory, bar); // the arena and its end included
      const auto took = clock::now() - start;
      l.passes.push_back(took);
      l.spent += took;
    }
  }
  for (std::size_t i = 0; i < rows.size(); ++i) {
    if (!lanes[i].out_of_memory) rows[i].seconds = lower_quartile(lanes[i].passes);
  }
  return rows;
}

} // namespace tour
