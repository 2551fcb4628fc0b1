// One program for all that is compared. Usage: allot_bench [flags of Google Benchmark], or one of
//
//   --list_peers      the libraries that are built in, with their versions, as JSON
//   --memory ROW      runs that row's workload once and prints what memory it took, as JSON
//   --soak SECONDS    threads come and go over one pool; prints what is resident, and fails where that grows
//
// Every row is named group/workload/peer and tells `items_per_second`. The text that is printed without
// --benchmark_format=json has the lower quartile and the median of the repetitions for one item, and the ratio to the first of
// a workload's rows.

#include "support/ratio_table.hpp"
#include "support/rows.hpp"
#include "support/sleeper.hpp"
#include "support/soak.hpp"

#include <benchmark/benchmark.h>

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#ifdef __GLIBC__
#include <malloc.h>
#endif

namespace {

/// Without this the growing rows measure how often glibc gives 2 MiB back to the kernel and takes them again. To see that:
/// ALLOT_BENCH_DEFAULT_MALLOC=1.
void keep_the_heap() {
#ifdef __GLIBC__
  if (std::getenv("ALLOT_BENCH_DEFAULT_MALLOC") == nullptr) {
    mallopt(M_TRIM_THRESHOLD, 1 << 28);
    mallopt(M_MMAP_THRESHOLD, 1 << 28);
  }
#endif
}

/// What the row takes from upstream, looked at once in the process, after its first timed run.
void add_counters(benchmark::State& state, const bench::row& line) {
  static std::map<std::string, bench::footprint> known;
  if (!line.weigh) return;
  auto found = known.find(line.name);
  if (found == known.end()) found = known.emplace(line.name, line.weigh()).first;
  state.counters["requested"] = static_cast<double>(found->second.requested);
  if (found->second.reserved_is_known) state.counters["reserved"] = static_cast<double>(found->second.reserved);
}

/// Repetitions of all rows in a random order, so that a noisy neighbour hits every row alike. Flags on the command line win.
int compare(int argc, char** argv) {
  std::vector<std::string> defaults{"--benchmark_enable_random_interleaving=true", "--benchmark_repetitions=15",
                                    "--benchmark_min_time=0.05"};
  std::vector<char*> arguments{argv[0]};
  for (std::string& flag : defaults)
    arguments.push_back(flag.data());
  arguments.insert(arguments.end(), argv + 1, argv + argc);
  bool own_table = true;
  for (const std::string_view flag : arguments)
    own_table = own_table && flag.find("--benchmark_format=") != 0 && flag.find("--benchmark_list_tests") != 0;

  const bench::sleeper second_thread;
  keep_the_heap();
  for (const bench::row& line : bench::all_rows())
    benchmark::RegisterBenchmark(line.name.c_str(), [line](benchmark::State& state) {
      line.time(state);
      if (!state.error_occurred()) add_counters(state, line);
    });

  int count = static_cast<int>(arguments.size());
  benchmark::Initialize(&count, arguments.data());
  if (benchmark::ReportUnrecognizedArguments(count, arguments.data())) return 1;
  if (own_table) {
    bench::ratio_table table;
    benchmark::RunSpecifiedBenchmarks(&table);
  } else {
    benchmark::RunSpecifiedBenchmarks();
  }
  benchmark::Shutdown();
  return 0;
}

int print_memory(const std::string& name) {
  const bench::sleeper second_thread;
  for (const bench::row& line : bench::all_rows()) {
    if (line.name != name) continue;
    if (!line.weigh) {
      std::fprintf(stderr, "allot_bench: %s does not look at memory\n", name.c_str());
      return 2;
    }
    const bench::footprint took = line.weigh();
    const std::string reserved = took.reserved_is_known ? std::to_string(took.reserved) : "null";
    std::printf(
        "{\"row\": \"%s\", \"requested_peak_bytes\": %zu, \"reserved_peak_bytes\": %s, \"peak_rss_bytes\": %zu, "
        "\"base_rss_bytes\": %zu}\n",
        name.c_str(), took.requested, reserved.c_str(), took.peak_resident, took.base_resident);
    return 0;
  }
  std::fprintf(stderr, "allot_bench: no row is named %s\n", name.c_str());
  return 2;
}

} // namespace

int main(int argc, char** argv) {
  const std::string_view verb = argc > 1 ? argv[1] : "";
  if (verb == "--list_peers" && argc == 2) {
    bench::print_libraries();
    return 0;
  }
  if (verb == "--soak" && argc == 3) return bench::soak(std::atoi(argv[2]));
  if (verb == "--memory" && argc == 3) return print_memory(argv[2]);
  return compare(argc, argv);
}
