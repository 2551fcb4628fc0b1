#pragma once

#include <benchmark/benchmark.h>

#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <map>
#include <string>
#include <vector>

namespace bench {

/// Prints the benchmarks named "group/row" as a table for each group: the lower quartile and the median of the repetitions,
/// in nanoseconds for one item, and the ratio of the lower quartile to that of the group's first row.
class ratio_table final : public benchmark::BenchmarkReporter {
public:
  bool ReportContext(const Context&) override { return true; }

  void ReportRuns(const std::vector<Run>& runs) override {
    for (const Run& run : runs) {
      if (run.run_type != Run::RT_Iteration || run.error_occurred) continue;
      row& r = rows_[run.family_index];
      r.name = run.run_name.function_name;
      r.times.push_back(1e9 / run.counters.at("items_per_second").value);
    }
  }

  void Finalize() override {
    std::string group;
    double first = 0;
    for (auto& [index, r] : rows_) {
      const auto& name = r.name;
      auto& all = r.times;
      const auto slash = name.find('/');
      std::sort(all.begin(), all.end());
      const double quartile = all[(all.size() - 1) / 4];
      if (name.substr(0, slash) != group) {
        group = name.substr(0, slash);
        first = quartile;
        std::printf("\n%-44s  quartile    median   ratio\n", group.c_str());
      }
      std::printf("  %-42s %7.2f ns %6.2f ns  x%.2f\n", name.substr(slash + 1).c_str(), quartile,
                  all[(all.size() - 1) / 2], quartile / first);
    }
  }

private:
  struct row {
    std::string name;
    std::vector<double> times;
  };

  std::map<std::int64_t, row> rows_; // as they were registered
};

/// The main of a benchmark whose rows are compared: repetitions of all rows in a random order, so that a noisy neighbour
/// hits every row alike. Flags on the command line win.
inline int compare(int argc, char** argv) {
  std::vector<std::string> defaults{"--benchmark_enable_random_interleaving=true", "--benchmark_repetitions=15",
                                    "--benchmark_min_time=0.05"};
  std::vector<char*> arguments{argv[0]};
  for (std::string& flag : defaults)
    arguments.push_back(flag.data());
  arguments.insert(arguments.end(), argv + 1, argv + argc);
  int count = static_cast<int>(arguments.size());
  benchmark::Initialize(&count, arguments.data());
  if (benchmark::ReportUnrecognizedArguments(count, arguments.data())) return 1;
  ratio_table table;
  benchmark::RunSpecifiedBenchmarks(&table);
  benchmark::Shutdown();
  return 0;
}

} // namespace bench
