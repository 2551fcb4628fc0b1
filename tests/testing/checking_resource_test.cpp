#include <allot/testing/checking_resource.hpp>

#include <allot/core/upstream.hpp>
#include <allot/detail/poison.hpp>

#include <support/conformance.hpp>
#include <support/death.hpp>
#include <support/sanitizers.hpp>

#include <doctest/doctest.h>

#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <ctime>
#include <limits>
#include <memory_resource>
#include <stdexcept>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include <sys/resource.h>
#include <unistd.h>

// Those of sanitizers and of Memcheck have no use for a limit of addresses.
#if ALLOT_VALGRIND || ALLOT_TEST_ASAN || ALLOT_TEST_TSAN || !defined(__linux__)
#define UNDER_OTHER_MALLOC 1
#else
#define UNDER_OTHER_MALLOC 0
#endif

namespace {

using allot::memory_fault;

// The quarantine is small, so that it is full, and its size settled, early in the test of reuse.
constexpr allot::checking_options recording{.name = "rx", .action = allot::on_fault::record, .quarantine_bytes = 20000};

struct over_malloc {
  allot::checking_resource r{recording};
  auto& resource() { return r; }
};

struct over_probe {
  allot::probe_upstream up;
  allot::checking_resource r{up, recording};
  auto& resource() { return r; }
  auto& upstream() { return up; }
};

struct over_itself {
  allot::probe_upstream up;
  allot::checking_resource below{up, recording};
  allot::checking_resource r{below, recording};
  auto& resource() { return r; }
};

unsigned char* bytes_of(void* p) { return static_cast<unsigned char*>(p); }

std::string text_of(const allot::memory_report& what) {
  char text[512];
  allot::describe(what, text);
  return text;
}

#if !UNDER_OTHER_MALLOC
/// From now on the program has the addresses that it has.
void allow_no_more_addresses() {
  unsigned long pages = 0;
  std::FILE* const file = std::fopen("/proc/self/statm", "r");
  if (file == nullptr || std::fscanf(file, "%lu", &pages) != 1) std::abort();
  std::fclose(file);
  rlimit limit{};
  getrlimit(RLIMIT_AS, &limit);
  limit.rlim_cur = pages * static_cast<rlim_t>(sysconf(_SC_PAGESIZE));
  if (setrlimit(RLIMIT_AS, &limit) != 0) std::abort();
}
#endif

/// Counts what a handler is told.
struct listener {
  std::size_t calls = 0;
  allot::memory_report last;

  static void hear(const allot::memory_report& what, void* user) noexcept {
    auto& self = *static_cast<listener*>(user);
    ++self.calls;
    self.last = what;
  }
  [[nodiscard]] allot::checking_options options() { return {.handler = hear, .user = this}; }
};

} // namespace

TEST_SUITE("checking_resource") {
  TEST_CASE("keeps the contract of a memory resource, over malloc, over an upstream, over itself") {
    check_contract<over_malloc>();
    check_contract<over_probe>();
    check_contract<over_itself>();
  }

  TEST_CASE("finds a byte written behind a block, and says which") {
    // [example]
    allot::checking_resource up{{.name = "rx", .action = allot::on_fault::record}};
    auto* const p = static_cast<char*>(up.allocate(5, 1));
    std::memcpy(p, "hello", 6); // the terminator does not fit
    up.deallocate(p, 5, 1);

    REQUIRE(up.first_error());
    CHECK(up.first_error()->fault == allot::memory_fault::overrun);
    CHECK(up.first_error()->serial == 1); // the first block given out
    CHECK(up.first_error()->offset == 5);
    CHECK(up.live_blocks() == 0);
    // [example]
    CHECK(up.first_error()->found == 0);
    CHECK(up.errors() == 1);
  }

  TEST_CASE("gives exactly the alignment asked for, and no more") {
    allot::checking_resource up;
    for (std::size_t alignment = 1; alignment <= std::size_t{1} << 20; alignment *= 2) {
      for (const std::size_t bytes : {std::size_t{0}, std::size_t{1}, alignment}) {
        void* const p = up.allocate(bytes, alignment);
        CHECK(reinterpret_cast<std::uintptr_t>(p) % (2 * alignment) == alignment);
        up.deallocate(p, bytes, alignment);
      }
    }
  }

#if !ALLOT_VALGRIND // to Memcheck the filling is no value
  TEST_CASE("fills fresh and freed blocks, and surrounds them by guards") {
    allot::checking_resource up;
    auto* const p = bytes_of(up.allocate(3, 1));
    CHECK(p[-1] == allot::checking_resource::guard_byte);
    CHECK(p[0] == allot::checking_resource::fresh_byte);
    CHECK(p[2] == allot::checking_resource::fresh_byte);
    CHECK(p[3] == allot::checking_resource::guard_byte);
    up.deallocate(p, 3, 1);
    CHECK(p[2] == allot::checking_resource::freed_byte); // in quarantine: still its memory
  }
#endif

  TEST_CASE("finds the nearest and the farthest byte of either guard, once") {
    constexpr auto guard = static_cast<std::ptrdiff_t>(allot::checking_resource::guard_bytes);
    for (const std::ptrdiff_t offset : {std::ptrdiff_t{-1}, -guard, std::ptrdiff_t{100}, 99 + guard}) {
      allot::checking_resource up{recording};
      void* const p = up.allocate(100, 8);
      bytes_of(p)[offset] = 0x41;

      CHECK(up.check() == 1);
      CHECK(up.first_error()->fault == (offset < 0 ? memory_fault::underrun : memory_fault::overrun));
      CHECK(up.first_error()->offset == offset);
      CHECK(up.first_error()->found == 0x41);
      up.deallocate(p, 100, 8);
      CHECK(up.errors() == 1);
    }
  }

  TEST_CASE("an underrun through the guard into the header is an underrun, and the block comes back all the same") {
    for (const std::ptrdiff_t offset : {-33, -40, -48, -64, -96, -100, -160}) {
      allot::checking_resource up{recording};
      void* const p = up.allocate(8, 8);
      bytes_of(p)[offset] ^= 0x41;
      CHECK(up.owns(p) == allot::ownership::yes);
      up.deallocate(p, 8, 8);
      CHECK(up.errors() == 1);
      CHECK(up.first_error()->fault == memory_fault::underrun);
      CHECK(up.first_error()->serial == 1);
      CHECK(up.first_error()->offset == offset);
      CHECK(up.live_blocks() == 0);
    }
  }

  TEST_CASE("check survives a guard and a record that were overwritten, and finds it in quarantine too") {
    allot::checking_resource up{recording};
    void* const p = up.allocate(8, 8);
    std::memset(bytes_of(p) - 96, 0x41, 96);
    CHECK(up.check() == 1);
    CHECK(up.first_error()->bytes == 8);
    CHECK(up.first_error()->offset == -96);
    up.deallocate(p, 8, 8);
    CHECK(up.errors() == 1);
    std::memset(bytes_of(p) - 96, 0x41, 96);
    CHECK(up.check() == 1);
    CHECK(up.errors(memory_fault::underrun) == 2);
  }

  TEST_CASE("a header of which nothing is left ends the program with a report, also where faults are recorded") {
    CHECK(dies(
        [] {
          allot::checking_resource up{recording};
          std::memset(bytes_of(up.allocate(8, 8)) - 120, 0x41, 120);
          up.check();
        },
        "underrun: byte -104 of the block at about "));
  }

  TEST_CASE("finds a write after free, on demand and when the block leaves the quarantine") {
    allot::checking_resource up{{.action = allot::on_fault::record, .quarantine_bytes = 2000}};
    auto* const p = bytes_of(up.allocate(100, 1));
    up.deallocate(p, 100, 1);
    p[99] = 7;
    CHECK(up.check() == 1);
    CHECK(up.first_error()->fault == memory_fault::write_after_free);
    CHECK(up.first_error()->offset == 99);
    CHECK(up.check() == 0); // the same write is told once

    p[0] = 7;
    for (int i = 0; i < 20; ++i)
      up.deallocate(up.allocate(100, 1), 100, 1); // pushes the first one out
    CHECK(up.errors(memory_fault::write_after_free) == 2);
  }

  TEST_CASE("a large block that was written to at both of its ends after it was freed is one fault") {
    allot::checking_resource up{{.action = allot::on_fault::record}};
    auto* const p = static_cast<unsigned char*>(up.allocate(200'000, 8));
    up.deallocate(p, 200'000, 8);
    p[0] ^= 1;
    p[199'999] ^= 1;
    up.check();
    CHECK(up.errors(memory_fault::write_after_free) == 1);
    CHECK(up.errors() == 1);
  }

  TEST_CASE("the first error stays, whatever comes after it") {
    allot::checking_resource up{recording};
    void* const p = up.allocate(16, 8);
    up.deallocate(p, 24, 8);
    up.deallocate(p, 16, 8);
    CHECK(up.first_error()->fault == memory_fault::wrong_size);
    CHECK(up.last_error()->fault == memory_fault::double_free);
  }

  TEST_CASE("tells a double free from a foreign pointer") {
    allot::checking_resource up{recording};
    int local = 0;
    void* const p = up.allocate(8, 8);
    up.deallocate(p, 8, 8);
    up.deallocate(p, 8, 8);
    CHECK(up.first_error()->fault == memory_fault::double_free);
    CHECK(up.first_error()->serial == 1);

    up.deallocate(&local, sizeof local, alignof(int));
    CHECK(up.errors(memory_fault::foreign_pointer) == 1);
    CHECK(up.errors() == 2);
    CHECK(up.deallocations() == 1);
  }

  TEST_CASE("looks at no memory behind a foreign pointer") {
    allot::checking_resource up{recording};
    void* const p = up.allocate(8, 8);
    for (const std::uintptr_t nowhere : {std::uintptr_t{8}, std::uintptr_t{4096}, ~std::uintptr_t{7}}) {
      up.deallocate(reinterpret_cast<void*>(nowhere), 8, 8);
    }
    CHECK(up.errors(memory_fault::foreign_pointer) == 3);
    up.deallocate(p, 8, 8);
    CHECK(up.live_blocks() == 0);
  }

  TEST_CASE("says into which block a foreign pointer points") {
    allot::checking_resource up{recording};
    up.deallocate(up.allocate(1, 1), 1, 1);
    auto* const p = bytes_of(up.allocate(16, 8));
    up.deallocate(p + 8, 8, 8);
    CHECK(up.first_error()->fault == memory_fault::foreign_pointer);
    CHECK(up.first_error()->serial == 2);
    CHECK(up.first_error()->offset == 8);
    CHECK(text_of(*up.first_error()).find("lies 8 bytes into block #2 (16 bytes aligned to 8") != std::string::npos);
    CHECK(up.live_blocks() == 1);
    up.deallocate(p, 16, 8);
  }

  TEST_CASE("finds a wrong size and a wrong alignment, and takes the block back all the same") {
    allot::checking_resource up{recording};
    up.deallocate(up.allocate(16, 8), 24, 8);
    CHECK(up.first_error()->fault == memory_fault::wrong_size);
    CHECK(up.first_error()->bytes == 16);
    CHECK(up.first_error()->given_bytes == 24);
    up.deallocate(up.allocate(16, 8), 16, 4);
    CHECK(up.errors(memory_fault::wrong_alignment) == 1);
    up.deallocate(up.allocate(16, 8), 15, 16);
    CHECK(up.errors() == 4);
    CHECK(up.live_blocks() == 0);
    CHECK(up.live_bytes() == 0);
  }

#if ALLOT_ASAN || ALLOT_VALGRIND
  TEST_CASE("finds a block that comes back poisoned") {
    allot::checking_resource up{recording};
    void* const p = up.allocate(64, 8);
    allot::detail::poison(p, 64);
    up.deallocate(p, 64, 8);
#if ALLOT_ASAN
    CHECK(up.errors(memory_fault::poisoned) == 1);
#endif
  }
#endif

  TEST_CASE("ends the program with a report that names the block, unless told otherwise") {
    CHECK(dies(
        [] {
          allot::checking_resource up{{.name = "tx"}};
          void* const p = up.allocate(8, 4);
          up.deallocate(p, 8, 4);
          up.deallocate(p, 8, 4);
        },
        "checking_resource \"tx\": double_free: block #1 (8 bytes aligned to 4 at "));
    CHECK(dies(
        [] {
          allot::checking_resource up;
          (void)up.allocate(8, 4);
          (void)up.allocate(9, 1);
        },
        "leak: block #2 (9 bytes aligned to 1 at "));
  }

  TEST_CASE("a fault that ends the program goes through the failure handler") {
    CHECK(dies(
        [] {
          allot::set_failure_handler([](const allot::failure& what) noexcept {
            std::fprintf(stderr, "handled %s of %zu\n", what.detail, what.bytes);
          });
          allot::checking_resource up;
          int x = 0;
          up.deallocate(&x, sizeof x, alignof(int));
        },
        "handled foreign_pointer of 4"));
  }

  TEST_CASE("a leak that ends the program has a reason of its own") {
    CHECK(dies(
        [] {
          allot::checking_resource up{{.name = "rx"}};
          (void)up.allocate(24, 8);
        },
        "allot: checking_resource \"rx\": never given back: 24 bytes aligned to 8 at "));
  }

  TEST_CASE("calls the handler with each fault, the leaks at the end included") {
    listener heard;
    {
      allot::checking_resource up{heard.options()};
      bytes_of(up.allocate(8, 8))[8] = 1;
      (void)up.allocate(3, 1);
      CHECK(heard.calls == 0);
    }
    CHECK(heard.calls == 3); // an overrun and two leaks
    CHECK(heard.last.fault == memory_fault::leak);
    CHECK(heard.last.serial == 2);
  }

  TEST_CASE("gives leaked blocks back to its upstream when it ends") {
    allot::checking_resource below;
    {
      allot::checking_resource up{below, recording};
      (void)up.allocate(100, 8);
      CHECK(up.status() == -1);
      CHECK(below.live_blocks() == 1);
    }
    CHECK(below.live_blocks() == 0);
  }

  TEST_CASE("counts calls, successes and failures apart, and bytes as they were asked for") {
    allot::checking_resource up;
    void* const p = up.allocate(100, 8);
    void* const q = up.allocate(11, 1);
    up.deallocate(p, 100, 8);
    CHECK(up.try_allocate(std::numeric_limits<std::size_t>::max(), 1) == nullptr);
    CHECK(up.counts() == allot::checking_counts{.attempts = 3,
                                                .allocations = 2,
                                                .failures = 1,
                                                .deallocations = 1,
                                                .live_blocks = 1,
                                                .live_bytes = 11,
                                                .peak_blocks = 2,
                                                .peak_bytes = 111,
                                                .total_bytes = 111,
                                                .largest_bytes = 100});
    CHECK(up.peak_blocks() == 2);
    CHECK(up.peak_bytes() == 111);
    CHECK(up.last_allocated() == allot::layout{11, 1});
    CHECK(up.last_deallocated() == allot::layout{100, 8});
    up.deallocate(q, 11, 1);
    CHECK(up.status() == 0);
  }

  TEST_CASE("a monitor sees what happened since it was made") {
    allot::checking_resource up;
    void* const before = up.allocate(64, 8);
    allot::checking_resource::monitor m{up};
    CHECK(m.is_total_same());

    void* const p = up.allocate(10, 1);
    CHECK(m.allocations() == 1);
    CHECK(m.total_bytes() == 10);
    CHECK(m.live_blocks_delta() == 1);
    CHECK_FALSE(m.is_peak_same());

    m.reset();
    up.deallocate(p, 10, 1);
    up.deallocate(before, 64, 8);
    CHECK(m.live_blocks_delta() == -2);
    CHECK(m.live_bytes_delta() == -74);
    CHECK(m.deallocations() == 2);
    CHECK(m.is_total_same());
    CHECK(m.is_peak_same());
    CHECK_FALSE(m.is_live_same());

    m.reset();
    CHECK(up.try_allocate(std::numeric_limits<std::size_t>::max(), 1) == nullptr);
    CHECK(m.failures() == 1);
    CHECK(m.attempts() == 1);
    CHECK(m.is_live_same());
    void* const wide = up.allocate(200, 1); // more bytes than ever, in fewer blocks
    CHECK_FALSE(m.is_peak_same());
    up.deallocate(wide, 200, 1);
    CHECK(m.is_live_same());
    void* const nothing = up.allocate(0, 1); // a block more, and no byte
    CHECK_FALSE(m.is_live_same());
    up.deallocate(nothing, 0, 1);
    void* const other = up.allocate(8, 1);
    m.reset();
    up.deallocate(other, 8, 1);
    void* const smaller = up.allocate(4, 1);
    CHECK(m.live_blocks_delta() == 0);
    CHECK_FALSE(m.is_live_same());
    up.deallocate(smaller, 4, 1);
  }

  TEST_CASE("says where its blocks come from: null stands for malloc") {
    allot::checking_resource up;
    CHECK(up.upstream_resource() == nullptr);
    const allot::checking_resource over{up};
    CHECK(over.upstream_resource() == &up);
  }

  TEST_CASE("refuses sizes and alignments whose sum with its own needs fits no address, and goes on") {
    constexpr std::size_t most = std::numeric_limits<std::size_t>::max();
    allot::checking_resource up;
    for (const std::size_t alignment : {std::size_t{1}, std::size_t{64}, std::size_t{1} << 30, most / 2 + 1}) {
      for (const std::size_t bytes : {most, most - alignment, most - alignment + 1, most - 300, most / 2 + 1}) {
        CHECK(up.try_allocate(bytes, alignment) == nullptr);
      }
    }
    CHECK(up.failures() == up.attempts());
    up.deallocate(up.allocate(1, 1), 1, 1);
  }

#if !ALLOT_VALGRIND
  TEST_CASE("the time of a call does not grow with the blocks that are live, in whatever rhythm they were taken") {
    constexpr std::size_t live = 1000;
    const auto time_of = [](std::size_t stride) {
      allot::checking_resource up{{.quarantine_bytes = 0}};
      const auto pairs = [&](std::size_t n) {
        for (std::size_t i = 0; i < n; ++i)
          up.deallocate(up.allocate(8, 8), 8, 8);
      };
      std::vector<void*> blocks;
      for (std::size_t i = 0; i < live; ++i) {
        blocks.push_back(up.allocate(8, 8));
        pairs(stride - 1);
      }
      const std::clock_t start = std::clock();
      pairs(20000);
      const std::clock_t end = std::clock();
      for (void* const p : blocks)
        up.deallocate(p, 8, 8);
      return static_cast<double>(end - start);
    };
    // Every 987th: multiples of a Fibonacci number, times the golden ratio, are hardly random.
    CHECK(time_of(987) < 5 * time_of(1));
  }
#endif

  TEST_CASE("takes no memory but one upstream block for each of its own") {
    allot::checking_resource below;
    allot::checking_resource up{below};
    std::vector<void*> blocks;
    for (std::size_t i = 0; i < 1000; ++i)
      blocks.push_back(up.allocate(i, 1));
    CHECK(below.attempts() == 1000);
    for (std::size_t i = 0; i < 1000; ++i)
      up.deallocate(blocks[i], i, 1);
    CHECK(below.attempts() == 1000);
    CHECK(up.live_blocks() == 0);
  }

  TEST_CASE("an upstream that refuses costs no block and no count") {
    allot::checking_resource below;
    allot::checking_resource up{below};
    void* const p = up.allocate(8, 8);
    below.set_allocation_limit(0);
    CHECK(up.try_allocate(8, 8) == nullptr);
    CHECK(up.failures() == 1);
    CHECK(up.live_blocks() == 1);
    below.set_allocation_limit(allot::checking_resource::unlimited);
    up.deallocate(p, 8, 8);
    CHECK(up.status() == 0);
  }

  TEST_CASE("keeps freed memory back, up to the limit of its quarantine") {
    allot::checking_resource below;
    allot::checking_resource up{below, {.quarantine_bytes = 10000}};
    up.deallocate(up.allocate(100, 1), 100, 1);
    CHECK(below.live_blocks() == 1);
    up.deallocate(up.allocate(9500, 1), 9500, 1); // pushes the first one out
    CHECK(below.live_blocks() == 1);
    up.empty_quarantine();
    CHECK(below.live_blocks() == 0);
  }

  TEST_CASE("a block larger than the quarantine goes back at once, and pushes no other out") {
    allot::checking_resource below;
    allot::checking_resource up{below, {.action = allot::on_fault::record, .quarantine_bytes = 10000}};
    void* const small = up.allocate(100, 1);
    up.deallocate(small, 100, 1);
    void* const large = up.allocate(20000, 1);
    up.deallocate(large, 20000, 1);
    CHECK(below.live_blocks() == 1);
    up.deallocate(small, 100, 1);
    CHECK(up.errors(memory_fault::double_free) == 1);
    up.deallocate(large, 20000, 1);
    CHECK(up.errors(memory_fault::foreign_pointer) == 1); // nothing is known of it any more
  }

  TEST_CASE("asks its upstream once for each request, also where the quarantine holds memory back") {
    allot::checking_resource below;
    allot::failing_adaptor failing{below};
    allot::checking_resource up{failing};
    up.deallocate(up.allocate(8, 8), 8, 8);
    failing.fail_at(1);
    CHECK(up.try_allocate(8, 8) == nullptr);
    CHECK(failing.calls() == 2);
    CHECK(below.live_blocks() == 1);
  }

#if !UNDER_OTHER_MALLOC
  TEST_CASE("where malloc has no more, gives up its quarantine before it refuses") {
    const support::ending end = support::ending_of([] {
      constexpr std::size_t large = std::size_t{32} << 20;
      allot::checking_resource up{{.quarantine_bytes = 2 * large}};
      up.deallocate(up.allocate(large, 8), large, 8);
      allow_no_more_addresses();
      void* const p = up.try_allocate(large / 2, 8); // there is room for it where the other one was
      if (p == nullptr || up.try_allocate(2 * large, 8) != nullptr || up.live_blocks() != 1) std::abort();
      up.deallocate(p, large / 2, 8);
    });
    CHECK(end.exited(0));
    CHECK_MESSAGE(end.output.empty(), end.output);
  }
#endif

  TEST_CASE("fails past the allocation limit, by exception and by null") {
    allot::checking_resource up;
    up.set_allocation_limit(1);
    void* const p = up.allocate(8, 8);
    CHECK(up.allocation_limit() == 0);
    CHECK(up.try_allocate(8, 8) == nullptr);
#if ALLOT_EXCEPTIONS
    CHECK_THROWS_AS((void)up.allocate(8, 8), allot::out_of_memory);
#endif
    CHECK(up.allocations() == 1);
    up.deallocate(p, 8, 8);
    up.set_allocation_limit(allot::checking_resource::unlimited);
    up.deallocate(up.allocate(8, 8), 8, 8);
    CHECK(up.allocation_limit() == allot::checking_resource::unlimited); // no count begins
  }

  TEST_CASE("owns exactly its blocks, live and in quarantine") {
    allot::checking_resource up;
    auto* const p = bytes_of(up.allocate(16, 8));
    CHECK(up.owns(p) == allot::ownership::yes);
    CHECK(up.owns(p + 15) == allot::ownership::yes);
    CHECK(up.owns(p + 16) == allot::ownership::no);
    CHECK(up.owns(p - 1) == allot::ownership::no);
    CHECK(up.owns(&up) == allot::ownership::no);
    up.deallocate(p, 16, 8);
    CHECK(up.owns(p) == allot::ownership::yes);
    up.empty_quarantine();
    CHECK(up.owns(p) == allot::ownership::no);
  }

  TEST_CASE("lists the leaks, oldest first, into a buffer that may be too small") {
    allot::checking_resource up{recording};
    void* const p = up.allocate(5, 1);
    void* const q = up.allocate(6, 2);
    char text[1024];
    const std::size_t length = up.report_leaks(text);
    const std::string all = text;
    CHECK(all.size() == length);
    CHECK(all.find("block #1 (5 bytes aligned to 1") < all.find("block #2 (6 bytes aligned to 2"));
    char few[20];
    CHECK(up.report_leaks(few) == length);
    CHECK(std::string_view{few} == std::string_view{all}.substr(0, 19));
    CHECK(up.report_leaks(std::span<char>{}) == length);
    up.deallocate(p, 5, 1);
    up.deallocate(q, 6, 2);
    CHECK(up.report_leaks(text) == 0);
  }

  TEST_CASE("clear_errors forgets the faults and nothing else") {
    allot::checking_resource up{recording};
    void* const p = up.allocate(8, 8);
    up.deallocate(&up, 8, 8);
    CHECK(up.status() == 1);
    up.clear_errors();
    CHECK_FALSE(up.first_error());
    CHECK(up.errors() == 0);
    CHECK(up.status() == -1);
    up.deallocate(p, 8, 8);
  }

  TEST_CASE("prints each call while it is verbose") {
    const auto end = support::ending_of([] {
      allot::checking_resource up{{.verbose = true}};
      up.deallocate(up.allocate(33, 2), 33, 2);
      up.set_verbose(false);
      up.deallocate(up.allocate(34, 2), 34, 2);
    });
    CHECK(end.exited(0));
    CHECK(end.says("allocate 33 bytes aligned to 2"));
    CHECK(end.says(": 33 bytes aligned to 2"));
    CHECK_FALSE(end.says("34 bytes"));
  }

  TEST_CASE("threads may share it, and the counts are exact") {
    allot::checking_resource up;
    {
      std::vector<std::thread> threads;
      for (int t = 0; t < 4; ++t) {
        threads.emplace_back([&up] {
          for (std::size_t i = 0; i < 300; ++i) {
            void* const p = up.allocate(i, 8);
            std::memset(p, 1, i);
            up.deallocate(p, i, 8);
          }
        });
      }
      for (auto& thread : threads)
        thread.join();
    }
    CHECK(up.allocations() == 1200);
    CHECK(up.deallocations() == 1200);
    CHECK(up.status() == 0);
    CHECK(up.check() == 0);
  }

  TEST_CASE("every fault has a name and a line of text") {
    for (int i = 0; i <= static_cast<int>(memory_fault::poisoned); ++i) {
      const auto fault = static_cast<memory_fault>(i);
      const std::string text = text_of({.fault = fault});
      CHECK(text.find(std::string{allot::to_string(fault)} + ": ") != std::string::npos);
      CHECK(text.find("unknown") == std::string::npos);
    }
  }

#if ALLOT_EXCEPTIONS
  TEST_CASE("a foreign upstream's bad_alloc is a refusal") {
    allot::checking_resource up{*std::pmr::null_memory_resource()};
    CHECK(up.try_allocate(8, 8) == nullptr);
    CHECK_THROWS_AS((void)up.allocate(8, 8), allot::out_of_memory);
    CHECK(up.failures() == 2);
  }

  TEST_CASE("a foreign upstream's other exceptions go through, and count as failures") {
    struct length_checked : std::pmr::memory_resource {
      void* do_allocate(std::size_t, std::size_t) override { throw std::length_error{"no"}; }
      void do_deallocate(void*, std::size_t, std::size_t) override {}
      bool do_is_equal(const std::pmr::memory_resource& other) const noexcept override { return this == &other; }
    } foreign;
    allot::checking_resource up{foreign};
    CHECK_THROWS_AS((void)up.allocate(8, 8), std::length_error);
    CHECK(up.attempts() == 1);
    CHECK(up.failures() == 1);
    CHECK(up.status() == 0);
  }
#endif
}
