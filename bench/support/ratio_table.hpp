#pragma once

#include <benchmark/benchmark.h>

#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <map>
#include <string>
#include <vector>

namespace bench {

/// Prints the rows named group/workload/peer as a table for each workload: the lower quartile and the median of the
/// repetitions, in nanoseconds for one item, and the ratio of the lower quartile to that of the workload's first row.
class ratio_table final : public benchmark::BenchmarkReporter {
public:
  bool ReportContext(const Context&) override { return true; }

  void ReportRuns(const std::vector<Run>& runs) override {
    for (const Run& run : runs) {
      if (run.run_type != Run::RT_Iteration) continue;
      if (run.error_occurred) {
        std::printf("%s: %s\n", run.benchmark_name().c_str(), run.error_message.c_str());
        continue;
      }
      row& r = rows_[run.family_index];
      r.name = run.run_name.function_name;
      r.times.push_back(1e9 / run.counters.at("items_per_second").value);
    }
  }

  void Finalize() override {
    std::string workload;
    double first = 0;
    for (auto& [index, r] : rows_) {
      const auto& name = r.name;
      auto& all = r.times;
      const auto slash = name.rfind('/');
      std::sort(all.begin(), all.end());
      const double quartile = all[(all.size() - 1) / 4];
      if (name.substr(0, slash) != workload) {
        workload = name.substr(0, slash);
        first = quartile;
        std::printf("\n%-44s  quartile    median   ratio\n", workload.c_str());
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

} // namespace bench
