// Counts the words of a file in standard containers that live in static memory, and tells what they cost.

#include "contest.hpp"
#include "options.hpp"
#include "report.hpp"
#include "text_file.hpp"
#include "words.hpp"

#include <allot/adaptor/counting_adaptor.hpp>
#include <allot/arena/bump_resource.hpp>
#include <allot/arena/monotonic_resource.hpp>
#include <allot/arena/static_arena.hpp>
#include <allot/core/failure.hpp>
#include <allot/core/layout.hpp>

#include <cstdio>
#include <optional>

namespace {

using namespace allot::literals;

constexpr std::size_t capacity = 64_MiB;

// All the memory that the words will ever have: zero bytes in the program file, no code before main, none at exit.
constinit allot::static_arena<capacity> memory;

constexpr int exit_written = 0;
constexpr int exit_unwritten = 1;
constexpr int exit_usage = 2;
constexpr int exit_budget = 3;

/// What the first pass, which everything else refers to, has found out.
struct first_pass {
  std::size_t peak;     ///< the most bytes that the containers had at once
  std::size_t reserved; ///< bytes of a `static_arena` that serve the same run
};

void print_cost(const allot::counting_snapshot& cost, const allot::bump_resource<>& slice) {
  using tour::grouped;
  std::printf("  %s allocations, %s deallocations, the largest of %s bytes\n", grouped(cost.allocations).c_str(),
              grouped(cost.deallocations).c_str(), grouped(cost.largest_bytes).c_str());
  std::printf("  %s bytes requested, %s live at the peak\n", grouped(cost.total_bytes).c_str(),
              grouped(cost.peak_bytes).c_str());
  std::printf("  %s of the %s bytes handed on are in use\n", grouped(slice.used()).c_str(),
              grouped(slice.capacity()).c_str());
}

/// The chain that the tour is about. Every container below lives in `budget`, and nothing can leave it.
first_pass count_and_report(const tour::text_file& file, std::span<std::byte> budget) {
  allot::bump_resource slice{budget, "budget"};
  allot::monotonic_resource arena{&slice};
  allot::counting_adaptor counted{arena, "words"};

  tour::word_counts counts{counted};
  {
    tour::progress bar{"counting"};
    tour::count_words(file, counts, bar);
  }

  std::printf("%s: %s words, %s of them distinct\n\n", tour::printable(file.path(), 200).c_str(),
              tour::grouped(counts.total()).c_str(), tour::grouped(counts.words().size()).c_str());
  print_words(counts);
  std::printf("\nWhat the containers cost (counting -> monotonic -> static arena)\n\n");
  print_cost(counted.snapshot(), slice);
  return {counted.snapshot().peak_bytes, slice.high_water()};
}

void fail_a_second_claim() {
  std::printf("\n1. A second claim of the same static memory\n\n");
  try {
    static_cast<void>(memory.claim("second claim"));
  } catch (const allot::already_claimed& failure) {
    std::printf("  %s\n", failure.what());
  }
  std::printf("\n  The line to change: claim once and hand the reference on, or ask first:\n"
              "      if (auto* arena = memory.try_claim()) ...\n");
}

void fail_an_eighth(const tour::text_file& file, std::span<std::byte> budget, const first_pass& first) {
  const std::size_t eighth = first.peak / 8;
  std::printf("\n2. The same file with an eighth of the measured peak: %s bytes\n\n", tour::grouped(eighth).c_str());
  if (first.peak == 0) {
    std::printf("  n/a: a file without a word asks for no memory\n");
    return;
  }
  try {
    allot::bump_resource slice{budget.first(eighth), "an eighth"};
    allot::monotonic_resource arena{&slice};
    tour::word_counts counts{arena};
    tour::progress bar{"failing"};
    tour::count_words(file, counts, bar);
    std::printf("  it was enough: the file has changed since it was measured\n");
  } catch (const allot::out_of_memory& failure) {
    std::printf("  %s\n", failure.what());
  }
  std::printf("\n  The line to change: the run above ended well with\n"
              "      constinit allot::static_arena<%zu> memory;\n",
              first.reserved);
}

void tour_of(const tour::text_file& file, std::span<std::byte> budget) {
  const first_pass first = count_and_report(file, budget);

  std::printf("\nThe same work three ways (std and allot over the same %s bytes)\n\n",
              tour::grouped(budget.size()).c_str());
  print_table(tour::run_contest(file, budget));
  std::printf("\n  time: lower quartile of interleaved passes, as a ratio to new/delete\n"
              "  calls: blocks or chunks taken from below; requested, peak, reserved: bytes\n"
              "  waste: the share of reserved that was never live at once; n/a: cannot be measured\n"
              "  chunks grow as far as the budget allows: with a smaller one less of it is wasted\n");

  std::printf("\nTwo failures, as a program meets them\n");
  fail_a_second_claim();
  fail_an_eighth(file, budget, first);
}

} // namespace

int main(int argc, char** argv) {
  allot::bump_resource<>& arena = memory.claim("tour");
  try {
    const tour::options chosen = tour::parse_options(argc, argv, ALLOT_TOUR_DEFAULT_FILE, capacity);
    if (chosen.help) {
      std::fputs(tour::usage_text.data(), stdout);
    } else {
      const tour::text_file file{chosen.file};
      tour_of(file, *arena.alloc_bytes(chosen.budget, 1));
    }
  } catch (const tour::usage_error& error) {
    std::fprintf(stderr, "tour: %s\n", tour::printable(error.what, 1000).c_str());
    return exit_usage;
  } catch (const allot::out_of_memory& failure) {
    std::fprintf(stderr, "tour: the budget ran out\n  %s\n", failure.what());
    std::fprintf(stderr, "  give more with --budget SIZE (at most %zuMiB)\n", capacity >> 20);
    return exit_budget;
  }
  if (std::fflush(stdout) != 0 || std::ferror(stdout) != 0) {
    std::perror("tour: the report could not be written");
    return exit_unwritten;
  }
  return exit_written;
}
