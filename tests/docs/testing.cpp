// What docs/testing.md shows.

#include "page.hpp"

#include <allot/allot.hpp>
#include <allot/testing/allocation_failure_loop.hpp>
#include <allot/testing/checking_resource.hpp>
#include <allot/testing/conformance.hpp>
#include <allot/testing/failing_adaptor.hpp>
#include <allot/testing/probe_upstream.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdio>
#include <cstring>
#include <limits>
#include <memory_resource>
#include <new>
#include <string>
#include <utility>
#include <vector>

using namespace allot::literals;

namespace {

void overrun() {
  //! [overrun]
  allot::checking_resource memory{{.name = "rx", .action = allot::on_fault::record}};
  auto* const text = static_cast<char*>(memory.allocate(5, 1));
  std::memcpy(text, "hello", 6); // the terminator does not fit
  memory.deallocate(text, 5, 1);

  char line[256];
  describe(*memory.first_error(), line);
  std::puts(line);
  //! [overrun]
}

//! [leaks]
struct node {
  int value;
  node* next = nullptr;
};

node* push(std::pmr::polymorphic_allocator<> allocator, node* head, int value) {
  return allocator.new_object<node>(node{value, head});
}

void leaks() {
  allot::checking_resource memory{{.action = allot::on_fault::record}};
  node* const head = push(&memory, push(&memory, nullptr, 1), 2);
  std::pmr::polymorphic_allocator<>{&memory}.delete_object(head); // and the other node?

  memory.report_leaks(stdout);
  std::printf("%zu blocks live\n", memory.live_blocks());
}
//! [leaks]

//! [loop]
class pair_of_buffers { // not as it should be
public:
  explicit pair_of_buffers(std::pmr::memory_resource& memory) : memory_{memory} {
    first_ = memory_.allocate(100);
    second_ = memory_.allocate(200); // throws: the first one is lost, since no destructor runs
  }
  ~pair_of_buffers() {
    memory_.deallocate(second_, 200);
    memory_.deallocate(first_, 100);
  }
  pair_of_buffers(const pair_of_buffers&) = delete;
  pair_of_buffers& operator=(const pair_of_buffers&) = delete;

private:
  std::pmr::memory_resource& memory_;
  void* first_;
  void* second_;
};

void loop() {
  allot::probe_upstream up; // a failing_adaptor over a checking_resource
  const auto result = allot::allocation_failure_loop(up, [&] { const pair_of_buffers buffers{up}; });
  std::printf("%zu runs, %zu problem: %s\n", result.runs, result.problems, result.first_problem);

  const auto vectors =
      allot::allocation_failure_loop(up, [&] { const std::pmr::vector<std::byte> first(100, &up), second(200, &up); });
  std::printf("%zu runs, %zu problems\n", vectors.runs, vectors.problems);
}
//! [loop]

void injected() {
  //! [injected]
  allot::malloc_resource heap;
  allot::failing_adaptor failing{heap, "disk cache"};
  failing.fail_above(4_KiB); // or fail_at, fail_every, fail_past, fail_if, fail_with_probability
  try {
    std::pmr::vector<char> page(8_KiB, &failing);
  } catch (const allot::out_of_memory& failure) {
    std::puts(failure.what());
  }
  //! [injected]
}

//! [conformance]
class with_prefix final : public std::pmr::memory_resource { // not as it should be
public:
  explicit with_prefix(std::pmr::memory_resource& upstream) : upstream_{upstream} {}

private:
  static std::size_t prefix(std::size_t alignment) { return std::max<std::size_t>(alignment, 16); }

  void* do_allocate(std::size_t bytes, std::size_t alignment) override {
    if (bytes > std::numeric_limits<std::size_t>::max() - prefix(alignment)) throw std::bad_alloc{};
    void* const p = upstream_.allocate(prefix(alignment) + bytes, alignment);
    return static_cast<std::byte*>(p) + prefix(alignment);
  }
  void do_deallocate(void* p, std::size_t bytes, std::size_t alignment) override {
    upstream_.deallocate(static_cast<std::byte*>(p) - prefix(alignment), bytes, alignment); // and the prefix?
  }
  bool do_is_equal(const memory_resource& other) const noexcept override { return this == &other; }

  std::pmr::memory_resource& upstream_;
};

struct fixture {
  allot::probe_upstream up;
  with_prefix mine{up};
  std::pmr::memory_resource& resource() { return mine; }
  allot::probe_upstream& upstream() { return up; }
};

void conformance() {
  for (const auto& check : allot::conformance_checks()) {
    const allot::finding found = allot::run_check<fixture>(check);
    if (found.result == allot::verdict::failed) std::printf("%s: %s\n", found.check, found.reason);
  }
}
//! [conformance]

void measured() {
  //! [measured]
  allot::malloc_resource heap;
  allot::counting_adaptor counted{heap};
  const auto cost = allot::measure(counted, [&] {
    std::pmr::vector<int> numbers{&counted};
    numbers.reserve(100);
    numbers.resize(100);
  });
  std::printf("%zu allocation, %zu bytes at most, %td left\n", cost.allocations, cost.peak_bytes, cost.live_bytes);
  //! [measured]
}

void nothing_else() {
  //! [nothing_else]
  allot::bump_resource<4_KiB> arena;
  const allot::no_default_resource_guard nothing_else; // in tests
  std::pmr::vector<std::pmr::string> words{&arena};
  words.emplace_back("characters that do not fit into the string object");
  const auto copy = words; // whoever asks the default resource is told
  //! [nothing_else]
}

} // namespace

int main(int argc, char** argv) {
  return page::run(argc, argv,
                   {{{"overrun", overrun},
                     {"leaks", leaks},
                     {"loop", loop},
                     {"injected", injected},
                     {"conformance", conformance},
                     {"measured", measured},
                     {"nothing_else", nothing_else, page::ends::by_abort}}});
}
