// Puts the memory resources of the standard library and of Boost.Container through allot's conformance suite, each check
// in a process of its own, since some of them do not survive it.
//
//   peers_conformance                prints the table of docs/conformance.md, and what each check saw
//   peers_conformance --compare DOC  exits with 1 where a cell of that table in DOC differs from what is found here,
//                                    with 77 where it was made with other libraries

#include <testing/peers.hpp>

#include <algorithm>
#include <csignal>
#include <cstdio>
#include <fstream>
#include <iostream>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#if ALLOT_HAS_BOOST_CONTAINER
#include <boost/version.hpp>
#endif

namespace {

struct peer {
  const char* name;
  allot::finding (*run)(const allot::conformance_check&);
};

template <class Fixture>
allot::finding run(const allot::conformance_check& check) {
  return allot::run_check<Fixture>(check);
}

constexpr peer all_peers[] = {
    {"std new_delete", run<peers::std_new_delete>},
    {"std null", run<peers::std_null>},
    {"std monotonic", run<peers::std_monotonic>},
    {"std monotonic, buffer", run<peers::std_monotonic_buffer>},
    {"std unsync. pool", run<peers::std_unsynchronized_pool>},
    {"std sync. pool", run<peers::std_synchronized_pool>},
#if ALLOT_HAS_BOOST_CONTAINER
    {"Boost new_delete", run<peers::boost_new_delete>},
    {"Boost null", run<peers::boost_null>},
    {"Boost monotonic", run<peers::boost_monotonic>},
    {"Boost monotonic, buffer", run<peers::boost_monotonic_buffer>},
    {"Boost unsync. pool", run<peers::boost_unsynchronized_pool>},
    {"Boost sync. pool", run<peers::boost_synchronized_pool>},
#endif
};

struct outcome {
  std::string cell; // as it stands in the table
  std::string reason;
};

[[noreturn]] void be_child(const peer& who, const allot::conformance_check& check, int out) {
  const rlimit no_core{0, 0};
  setrlimit(RLIMIT_CORE, &no_core);
  const rlimit seconds{3, 3}; // of a processor: what has gone astray need not crash, it may run on
  setrlimit(RLIMIT_CPU, &seconds);
  std::freopen("/dev/null", "w", stderr); // glibc's last words; the signal is enough
  const allot::finding found = who.run(check);
  _exit(write(out, &found, sizeof found) == static_cast<ssize_t>(sizeof found) ? 0 : 1);
}

outcome judge(const allot::finding& found) {
  const std::string reason = found.reason;
  switch (found.result) {
  case allot::verdict::passed: return {"pass", reason};
  case allot::verdict::failed: return {"FAIL", reason};
  case allot::verdict::not_applicable: return {"-", reason};
  }
  return {};
}

outcome run_apart(const peer& who, const allot::conformance_check& check) {
  int ends[2];
  if (pipe(ends) != 0) return {"?", "no pipe"};
  const pid_t child = fork();
  if (child == 0) be_child(who, check, ends[1]);
  close(ends[1]);
  allot::finding found;
  const bool whole = read(ends[0], &found, sizeof found) == static_cast<ssize_t>(sizeof found);
  close(ends[0]);
  int status = 0;
  waitpid(child, &status, 0);
  if (whole) return judge(found);
  if (WIFSIGNALED(status)) return {"CRASH", "ended by signal " + std::to_string(WTERMSIG(status))};
  return {"CRASH", "exited with " + std::to_string(WEXITSTATUS(status))};
}

/// The libraries whose code is under test, in one line.
std::string libraries() {
#if defined(_LIBCPP_VERSION)
  std::string text = "libc++ " + std::to_string(_LIBCPP_VERSION);
#else
  std::string text = "libstdc++ " + std::to_string(_GLIBCXX_RELEASE) + " (" + std::to_string(__GLIBCXX__) + ")";
#endif
#if ALLOT_HAS_BOOST_CONTAINER
  text += ", Boost " + std::to_string(BOOST_VERSION / 100000) + "." + std::to_string(BOOST_VERSION / 100 % 1000) + "." +
          std::to_string(BOOST_VERSION % 100);
#endif
  return text;
}

using table = std::map<std::pair<std::string, std::string>, outcome>; // by check and peer

/// The checks of the table: without the one whose answer depends on how allot was built.
std::vector<allot::conformance_check> checks() {
  std::vector<allot::conformance_check> list;
  for (const auto& check : allot::conformance_checks()) {
    if (check.name != std::string_view{"goes_back_clean"}) list.push_back(check);
  }
  return list;
}

table run_all() {
  table results;
  for (const auto& check : checks()) {
    for (const auto& who : all_peers)
      results[{check.name, who.name}] = run_apart(who, check);
  }
  return results;
}

void print(const table& results) {
  std::cout << "Found with " << libraries() << ".\n\n| check |";
  for (const auto& who : all_peers)
    std::cout << ' ' << who.name << " |";
  std::cout << "\n|---|";
  for (std::size_t i = 0; i < std::size(all_peers); ++i)
    std::cout << "---|";
  std::cout << '\n';
  for (const auto& check : checks()) {
    std::cout << "| " << check.name << " |";
    for (const auto& who : all_peers)
      std::cout << ' ' << results.at({check.name, who.name}).cell << " |";
    std::cout << '\n';
  }
  std::cout << '\n';
  for (const auto& [where, found] : results) {
    if (found.cell == "FAIL" || found.cell == "CRASH") {
      std::cout << where.second << ", " << where.first << ": " << found.cell << ": " << found.reason << '\n';
    }
  }
}

/// The cells of a row of a Markdown table, without the blanks around them.
std::vector<std::string> cells_of(const std::string& line) {
  std::vector<std::string> cells;
  for (std::size_t from = 1; from < line.size();) {
    const std::size_t to = std::min(line.find('|', from), line.size());
    const std::string cell = line.substr(from, to - from);
    const std::size_t first = cell.find_first_not_of(' ');
    cells.push_back(first == std::string::npos ? "" : cell.substr(first, cell.find_last_not_of(' ') - first + 1));
    from = to + 1;
  }
  return cells;
}

struct record {
  std::string libraries;
  std::map<std::pair<std::string, std::string>, std::string> cells; // by check and peer
};

/// Reads the line "Found with ..." and the table whose first column is "check".
record read_record(std::istream& in) {
  constexpr std::string_view start = "Found with ";
  record result;
  std::vector<std::string> header;
  for (std::string line; std::getline(in, line);) {
    if (line.starts_with(start)) result.libraries = line.substr(start.size());
    if (!line.starts_with("|")) {
      header.clear();
      continue;
    }
    const auto cells = cells_of(line);
    if (cells[0] == "check") header = cells;
    for (std::size_t i = 1; i < std::min(cells.size(), header.size()); ++i) {
      result.cells[{cells[0], header[i]}] = cells[i];
    }
  }
  return result;
}

int compare(const char* path) {
  std::ifstream in{path};
  if (!in) {
    std::cerr << "cannot read " << path << '\n';
    return 2;
  }
  const record recorded = read_record(in);
  if (!recorded.libraries.starts_with(libraries())) {
    std::cout << "made with " << recorded.libraries << ", not with " << libraries() << ": nothing to compare\n";
    return 77;
  }
  int differences = 0;
  for (const auto& [where, found] : run_all()) {
    const auto cell = recorded.cells.find(where);
    const std::string said = cell == recorded.cells.end() ? "nothing" : cell->second;
    if (said == found.cell) continue;
    ++differences;
    std::cout << where.second << ", " << where.first << ": recorded " << said << ", found " << found.cell << ": "
              << found.reason << '\n';
  }
  std::cout << differences << " cells differ\n";
  return differences == 0 ? 0 : 1;
}

bool is_instrumented() {
#if ALLOT_ASAN || defined(__SANITIZE_THREAD__)
  return true;
#elif defined(__has_feature)
#if __has_feature(thread_sanitizer) || __has_feature(undefined_behavior_sanitizer)
  return true;
#endif
#endif
  return false;
}

} // namespace

int main(int argc, char** argv) {
  if (is_instrumented()) {
    std::cout << "the peers end a program with sanitizers at once: nothing to find here\n";
    return 77;
  }
  if (argc == 3 && argv[1] == std::string_view{"--compare"}) return compare(argv[2]);
  if (argc != 1) {
    std::cerr << "usage: peers_conformance [--compare DOC]\n";
    return 2;
  }
  print(run_all());
}
