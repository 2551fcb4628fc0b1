// What detail::atomic promises on every core, the one that masks interrupts among them.

#include <allot/core/atomic.hpp> // first: proves that the header stands alone

#include "timer.hpp"

#include <doctest/doctest.h>

#include <cstddef>

using namespace interrupts;

namespace {

constexpr unsigned turns = 20'000;

/// Each operation is tried by the main loop, `turns` times, against the interrupt, which does the same by `step`.
struct shared_words {
  static inline constinit allot::detail::atomic<std::size_t> count{0};
  static inline constinit allot::detail::atomic<unsigned char> byte{0};
  static inline constinit volatile std::size_t plain = 0;
  static inline constinit volatile std::size_t by_interrupt = 0;

  static void start() noexcept {
    count.store(0);
    byte.store(0);
    plain = 0;
    by_interrupt = 0;
  }
};

using words = shared_words;

void tick_plain(std::uintptr_t) noexcept {
  words::plain = words::plain + 1;
  words::by_interrupt = words::by_interrupt + 1;
}

void tick_add(std::uintptr_t) noexcept {
  words::count.fetch_add(1);
  words::by_interrupt = words::by_interrupt + 1;
}

void tick_subtract(std::uintptr_t) noexcept {
  words::count.fetch_sub(1);
  words::by_interrupt = words::by_interrupt + 1;
}

void tick_compare(std::uintptr_t) noexcept {
  std::size_t seen = words::count.load();
  if (words::count.compare_exchange_strong(seen, seen + 1)) words::by_interrupt = words::by_interrupt + 1;
}

// Tokens that differ: what is put in comes out once, so that the sums of both are the same.
constinit volatile std::size_t next_token = 0, put_in = 0, taken_out = 0;

void tick_exchange(std::uintptr_t) noexcept {
  const std::size_t token = next_token + 1'000'000;
  next_token = next_token + 1;
  put_in = put_in + token;
  taken_out = taken_out + words::count.exchange(token);
  words::by_interrupt = words::by_interrupt + 1;
}

void tick_only(std::uintptr_t) noexcept {}

/// An interrupt may not divide a sum that it changes too.
class without_interrupts {
public:
  without_interrupts() noexcept { __asm__ volatile("cpsid i" : : : "memory"); }
  ~without_interrupts() { __asm__ volatile("cpsie i" : : : "memory"); }
  without_interrupts(const without_interrupts&) = delete;
  without_interrupts& operator=(const without_interrupts&) = delete;
};

template <class T>
void use_every_operation(allot::detail::atomic<T>& word) {
  T expected = word.load();
  (void)word.compare_exchange_strong(expected, T{1});
  (void)word.compare_exchange_weak(expected, T{2});
  (void)word.fetch_add(T{1});
  (void)word.fetch_sub(T{1});
  (void)word.exchange(T{3});
}

/// Long enough for several interrupts.
void spin() noexcept {
  for (volatile unsigned i = 0; i < 5'000;)
    i = i + 1;
}

} // namespace

TEST_SUITE("detail::atomic against an interrupt") {
  TEST_CASE("without it updates are lost, so that these tests can see it") {
    words::start();
    {
      const timer running{tick_plain};
      const window open;
      for (unsigned i = 0; i < turns; ++i)
        words::plain = words::plain + 1;
    }
    const std::size_t lost = turns + words::by_interrupt - words::plain;
    MESSAGE("of " << turns << " and " << words::by_interrupt << " updates without an atomic " << lost << " are lost");
    CHECK(lost > 0);
    CHECK(words::by_interrupt >= ticks_to_see);
  }

  TEST_CASE("fetch_add loses nothing, and gives each number before it once") {
    words::start();
    unsigned out_of_order = 0;
    {
      const timer running{tick_add};
      const window open;
      std::size_t last = 0;
      for (unsigned i = 0; i < turns; ++i) {
        const std::size_t before = words::count.fetch_add(1);
        if (i != 0 && before <= last) ++out_of_order;
        last = before;
      }
    }
    CHECK(out_of_order == 0);
    CHECK(words::count.load() == turns + words::by_interrupt);
    CHECK(words::by_interrupt >= ticks_to_see);
  }

  TEST_CASE("fetch_sub loses nothing, past zero too") {
    words::start();
    {
      const timer running{tick_subtract};
      const window open;
      for (unsigned i = 0; i < turns; ++i)
        words::count.fetch_sub(1);
    }
    CHECK(words::count.load() == std::size_t{0} - turns - words::by_interrupt);
    CHECK(words::by_interrupt >= ticks_to_see);
  }

  TEST_CASE("compare_exchange loses nothing, and says what it saw where it fails") {
    words::start();
    std::size_t by_main = 0, refusals = 0;
    bool saw_itself = false;
    {
      const timer running{tick_compare};
      const window open;
      for (unsigned i = 0; i < turns; ++i) {
        std::size_t seen = words::count.load();
        const std::size_t wanted = seen;
        if (words::count.compare_exchange_strong(seen, seen + 1)) {
          ++by_main;
        } else {
          ++refusals;
          saw_itself = saw_itself || seen == wanted;
        }
      }
    }
    MESSAGE("the interrupt came " << refusals << " times between a load and its compare_exchange");
    CHECK(words::count.load() == by_main + words::by_interrupt);
    CHECK(by_main + refusals == turns);
    CHECK(refusals >= ticks_to_see);
    CHECK(!saw_itself);
  }

  TEST_CASE("compare_exchange_weak in a loop loses nothing") {
    words::start();
    {
      const timer running{tick_compare};
      const window open;
      for (unsigned i = 0; i < turns; ++i) {
        std::size_t seen = words::count.load();
        while (!words::count.compare_exchange_weak(seen, seen + 1)) {
        }
      }
    }
    CHECK(words::count.load() == turns + words::by_interrupt);
    CHECK(words::by_interrupt >= ticks_to_see);
  }

  TEST_CASE("exchange gives each value that was put in to one") {
    words::start();
    next_token = 0;
    put_in = 0;
    taken_out = 0;
    std::size_t put_by_main = 0, taken_by_main = 0;
    {
      const timer running{tick_exchange};
      const window open;
      for (std::size_t token = 1; token <= turns; ++token) {
        put_by_main += token;
        taken_by_main += words::count.exchange(token);
      }
    }
    CHECK(put_by_main + put_in == taken_by_main + taken_out + words::count.load());
    CHECK(words::by_interrupt >= ticks_to_see);
  }

  TEST_CASE("interrupts that come stay on, and those held back stay held back") {
    words::start();
    use_every_operation(words::count);
    use_every_operation(words::byte);
    CHECK(!are_masked());

    const timer running{tick_only};
    const unsigned at_first = ticks();
    spin();
    CHECK(ticks() > at_first);

    bool stayed_masked = true;
    unsigned before = 0, after = 0;
    {
      const without_interrupts here;
      before = ticks();
      use_every_operation(words::count);
      stayed_masked = stayed_masked && are_masked();
      use_every_operation(words::byte);
      stayed_masked = stayed_masked && are_masked();
      spin();
      after = ticks();
    }
    CHECK(stayed_masked);
    CHECK(after == before);
    spin();
    CHECK(ticks() > after);
  }
}
