#pragma once

#include "memory_probe.hpp"
#include "peers.hpp"

#include <functional>
#include <string>
#include <vector>

namespace benchmark {
class State;
}

namespace bench {

/// A line of the result. Its name is group/workload/peer.
struct row {
  std::string name;
  std::function<void(benchmark::State&)> time;
  std::function<footprint()> weigh; ///< runs the workload once and looks at memory only; empty where nobody asks
};

/// A group's rows, and who adds them. Objects with static storage duration, one in each bench/<room>/*_bench.cpp.
class group {
public:
  using adder = void (*)(std::vector<row>&);
  group(const char* name, adder add);

  const char* name;
  adder add;
};

/// The rows of all groups that are linked in, group by group.
[[nodiscard]] std::vector<row> all_rows();

/// Makes the subject, has `work` use it, and says what that took. The blocks are written to.
[[nodiscard]] footprint weigh(const peer& who, setting s,
                              const std::function<void(subject&, std::pmr::memory_resource&)>& work);

} // namespace bench
