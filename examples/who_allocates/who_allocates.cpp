// What does a line of C++ allocate? Prints a table: what was allocated before main, and what common constructs allocate the
// first time and afterwards, by operator new, as allot's global counter has it, and by malloc directly.
//
// Each construct runs in a process of its own, forked before anything else was done, so that no row spares the next one its
// first-time cost. Its stdout and stderr lead to /dev/null.

#include <allot/global/counter.hpp>

#include <array>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <functional>
#include <iostream>
#include <limits>
#include <regex>
#include <string>
#include <thread>

#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

#ifdef WHO_ALLOCATES_COUNTS_MALLOC
#include "support/malloc_counter.hpp"
#endif

namespace {

/// What was allocated from one moment to another.
struct cost {
  std::size_t new_blocks = 0;
  std::size_t new_bytes = 0;
  std::ptrdiff_t new_live = 0; // bytes
  std::int64_t malloc_blocks = 0;
  std::int64_t malloc_bytes = 0;
  std::int64_t malloc_live = 0; // blocks
};

struct reading {
  allot::counting_snapshot by_new = allot::global::snapshot();
#ifdef WHO_ALLOCATES_COUNTS_MALLOC
  support::malloc_counts by_malloc = support::read_malloc_counts();
#endif
};

#ifdef WHO_ALLOCATES_COUNTS_MALLOC
/// The counter takes its own blocks from malloc, `block_overhead` larger: the rest was asked of malloc directly.
void add_malloc(cost& sum, const support::malloc_counts& now, const support::malloc_counts& then,
                const allot::counting_difference& by_new) {
  const auto blocks = [](const support::malloc_counts& c) {
    return static_cast<std::int64_t>(c.malloc + c.calloc + c.aligned_alloc + c.posix_memalign + c.memalign);
  };
  const std::size_t overhead = by_new.allocations * allot::global::block_overhead;
  sum.malloc_blocks = blocks(now) - blocks(then) - static_cast<std::int64_t>(by_new.allocations);
  sum.malloc_bytes = static_cast<std::int64_t>(now.bytes - then.bytes - by_new.total_bytes - overhead);
  sum.malloc_live = blocks(now) - blocks(then) - static_cast<std::int64_t>(now.free - then.free) - by_new.live_blocks;
}
#endif

cost operator-(const reading& now, const reading& then) {
  const allot::counting_difference by_new = now.by_new - then.by_new;
  cost sum{.new_blocks = by_new.allocations, .new_bytes = by_new.total_bytes, .new_live = by_new.live_bytes};
#ifdef WHO_ALLOCATES_COUNTS_MALLOC
  add_malloc(sum, now.by_malloc, then.by_malloc, by_new);
#endif
  return sum;
}

template <class F>
cost cost_of(F f) {
  const reading before;
  f();
  return reading{} - before;
}

/// Makes the compiler believe that `object` is looked at: it may leave out allocations for what is not.
template <class T>
void use(T& object) {
  asm volatile("" : : "r"(&object) : "memory");
}

template <std::size_t Bytes>
void make_function() {
  std::array<char, Bytes> captured{};
  use(captured);
  std::function<int()> f = [captured] { return captured[0]; };
  use(f);
}

struct construct {
  const char* name;
  void (*run)();
};

const construct constructs[] = {
    {"std::cout << 42", [] { std::cout << 42; }},
    {"std::cerr << 42", [] { std::cerr << 42; }},
    {"printf(\"%d\", 42)", [] { std::printf("%d", 42); }},
    {"std::to_string(42)",
     [] {
       std::string text = std::to_string(42);
       use(text);
     }},
    {"std::to_string(LLONG_MIN)",
     [] {
       std::string text = std::to_string(std::numeric_limits<long long>::min());
       use(text);
     }},
    {"std::thread, joined", [] { std::thread{[] {}}.join(); }},
    {"std::regex{\"[a-z]+@[a-z]+\"}",
     [] {
       std::regex pattern{"[a-z]+@[a-z]+"};
       use(pattern);
     }},
    {"std::function, captures 8", make_function<8>},
    {"std::function, captures 100", make_function<100>},
};

struct row {
  cost first;
  cost second;
};

[[noreturn]] void give_up(const char* what) {
  std::perror(what);
  std::exit(1);
}

/// Runs `run` twice in a child, which sends back what it cost.
row in_a_child(void (*run)()) {
  int ends[2];
  if (pipe(ends) != 0) give_up("pipe");
  const pid_t child = fork();
  if (child == -1) give_up("fork");
  if (child == 0) {
    const int nowhere = open("/dev/null", O_WRONLY);
    dup2(nowhere, STDOUT_FILENO);
    dup2(nowhere, STDERR_FILENO);
    const cost first = cost_of(run);
    const row both{first, cost_of(run)};
    _exit(write(ends[1], &both, sizeof both) == static_cast<ssize_t>(sizeof both) ? 0 : 1);
  }
  close(ends[1]);
  row both;
  int status = 0;
  const bool received = read(ends[0], &both, sizeof both) == static_cast<ssize_t>(sizeof both);
  close(ends[0]);
  if (waitpid(child, &status, 0) != child || status != 0 || !received) give_up("a construct did not come to its end");
  return both;
}

void print(const char* name, const char* call, const cost& c) {
  std::printf("%-28s %-6s %8zu %8zu %8td", name, call, c.new_blocks, c.new_bytes, c.new_live);
#ifdef WHO_ALLOCATES_COUNTS_MALLOC
  std::printf(" %8lld %8lld %8lld\n", static_cast<long long>(c.malloc_blocks), static_cast<long long>(c.malloc_bytes),
              static_cast<long long>(c.malloc_live));
#else
  std::printf(" %8s %8s %8s\n", "-", "-", "-");
#endif
}

void print_head() {
#ifdef __clang__
  std::printf("clang %d.%d, ", __clang_major__, __clang_minor__);
#else
  std::printf("g++ %d.%d, ", __GNUC__, __GNUC_MINOR__);
#endif
#ifdef _LIBCPP_VERSION
  std::printf("libc++ %d\n\n", _LIBCPP_VERSION);
#else
  std::printf("libstdc++ %d\n\n", _GLIBCXX_RELEASE);
#endif
  std::printf("%-28s %-6s %26s %26s\n", "", "", "operator new", "malloc directly");
  std::printf("%-28s %-6s %8s %8s %8s %8s %8s %8s\n", "", "call", "blocks", "bytes", "live B", "blocks", "bytes",
              "live");
}

} // namespace

int main() {
  const reading at_main; // the first thing that main does
  row rows[std::size(constructs)];
  for (std::size_t i = 0; i < std::size(constructs); ++i)
    rows[i] = in_a_child(constructs[i].run);

  print_head();
  reading nothing;
  nothing.by_new = {};
#ifdef WHO_ALLOCATES_COUNTS_MALLOC
  nothing.by_malloc = {};
#endif
  print("before main", "", at_main - nothing);
  for (std::size_t i = 0; i < std::size(constructs); ++i) {
    print(constructs[i].name, "first", rows[i].first);
    print("", "later", rows[i].second);
  }
}
