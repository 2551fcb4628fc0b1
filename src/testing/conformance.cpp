#include <allot/testing/conformance.hpp>

#include <allot/core/layout.hpp>
#include <allot/testing/split_mix.hpp>

#include <algorithm>
#include <array>
#include <cstdarg>
#include <cstdint>
#include <cstdio>
#include <exception>
#include <initializer_list>
#include <limits>
#include <new>
#include <optional>
#include <utility>

namespace allot::inline ALLOT_ABI {
namespace {

using sizes = std::initializer_list<std::size_t>;

constexpr std::size_t size_max = std::numeric_limits<std::size_t>::max();

/// Keeps the first thing that was wrong.
[[gnu::format(printf, 2, 3)]] void fail(finding& found, const char* format, ...) {
  if (found.result == verdict::failed) return;
  found.result = verdict::failed;
  std::va_list values;
  va_start(values, format);
  std::vsnprintf(found.reason, sizeof found.reason, format, values);
  va_end(values);
}

void does_not_apply(finding& found, const char* reason) {
  found.result = verdict::not_applicable;
  std::snprintf(found.reason, sizeof found.reason, "%s", reason);
}

bool failed(const finding& found) { return found.result == verdict::failed; }

template <class F>
void with_fresh(const conformance_source& source, F f) {
  source.with_fresh([](conformance_subject& subject, void* user) { (*static_cast<F*>(user))(subject); }, &f);
}

/// The ways to ask for a block.
enum class way : unsigned char { concrete, interface, attempt, attempt_interface };

const char* to_string(way w) {
  switch (w) {
  case way::concrete: return "allocate";
  case way::interface: return "memory_resource::allocate";
  case way::attempt: return "try_allocate";
  case way::attempt_interface: return "resource::try_allocate";
  }
  return "";
}

/// Those that a resource has. Without exceptions `allocate` is none of them: its failure would end the program.
class ways {
public:
  explicit ways(const conformance_traits& traits) {
#if ALLOT_EXCEPTIONS
    add(way::concrete);
    add(way::interface);
#endif
    if (traits.tries) add(way::attempt);
    if (traits.tries && traits.is_allots) add(way::attempt_interface);
  }

  [[nodiscard]] const way* begin() const { return list_.data(); }
  [[nodiscard]] const way* end() const { return list_.data() + count_; }
  [[nodiscard]] std::size_t size() const { return count_; }
  [[nodiscard]] way operator[](std::size_t i) const { return list_[i]; }

private:
  void add(way w) { list_[count_++] = w; }

  std::array<way, 4> list_{};
  std::size_t count_ = 0;
};

/// What came of asking for a block.
struct answer {
  std::byte* p = nullptr;   // null where none came, rightly or not
  bool refused = false;     // by bad_alloc, or null from try_allocate
  bool is_null = false;     // null from allocate
  bool threw_other = false; // an exception that is no bad_alloc
};

/// A pointer of which the compiler knows nothing: it may take what `allocate` gives for non-null.
std::byte* opaque(void* p) {
  void* volatile hidden = p;
  return static_cast<std::byte*>(hidden);
}

answer attempt_of(void* gave) {
  std::byte* const p = opaque(gave);
  return {.p = p, .refused = p == nullptr};
}

#if ALLOT_EXCEPTIONS
/// In a `catch (...)`: lets the end of a thread go on (pthread_exit, pthread_cancel), which is no C++ exception.
void pass_thread_exit() {
  if (std::current_exception() == nullptr) throw;
}
#endif

answer ask(conformance_subject& subject, way w, std::size_t bytes, std::size_t alignment) {
  switch (w) {
  case way::attempt: return attempt_of(subject.try_allocate(bytes, alignment));
  case way::attempt_interface: return attempt_of(subject.allots()->try_allocate(bytes, alignment));
  case way::concrete:
  case way::interface: break;
  }
#if ALLOT_EXCEPTIONS
  try {
    std::byte* const p =
        opaque(w == way::concrete ? subject.allocate(bytes, alignment) : subject.base().allocate(bytes, alignment));
    return {.p = p, .is_null = p == nullptr};
  } catch (const std::bad_alloc&) {
    return {.refused = true};
  } catch (...) {
    pass_thread_exit();
    return {.threw_other = true};
  }
#else
  return {.refused = true};
#endif
}

/// Gives a block back by either way. \return false where that threw
bool give(conformance_subject& subject, bool by_interface, void* p, layout l) {
#if ALLOT_EXCEPTIONS
  try {
#endif
    if (by_interface) {
      subject.base().deallocate(p, l.bytes, l.alignment);
    } else {
      subject.deallocate(p, l.bytes, l.alignment);
    }
    return true;
#if ALLOT_EXCEPTIONS
  } catch (...) {
    pass_thread_exit();
    return false;
  }
#endif
}

/// What a check looks at. What another check is for is passed over, so that each names its own finding.
enum concern : unsigned {
  outcomes = 1,  // null from allocate, an exception that is no bad_alloc, one from deallocate
  addresses = 2, // alignment
  memory = 4,    // blocks apart from each other, and their contents
  everything = outcomes | addresses | memory,
};

/// Live blocks of one subject: the model against which it is held. Each block is filled with its own pattern.
class shelf {
public:
  static constexpr std::size_t most = 128;

  shelf(conformance_subject& subject, finding& found, unsigned concerns)
      : subject_{subject}, found_{found}, concerns_{concerns} {}
  shelf(const shelf&) = delete;
  shelf& operator=(const shelf&) = delete;
  ~shelf() { put_all(); }

  [[nodiscard]] std::size_t size() const { return count_; }
  [[nodiscard]] bool full() const { return count_ == most; }

  /// Bytes of all blocks, as they were asked for.
  [[nodiscard]] std::size_t bytes() const {
    std::size_t sum = 0;
    for (std::size_t i = 0; i < count_; ++i)
      sum += blocks_[i].request.bytes;
    return sum;
  }

  /// Asks for a block and holds it against the contract; a refusal is the caller's to judge.
  answer get(way w, std::size_t bytes, std::size_t alignment) {
    const answer a = ask(subject_, w, bytes, alignment);
    if (a.p == nullptr) {
      check_outcome(a, w, bytes, alignment);
      return a;
    }
    if ((concerns_ & addresses) != 0 && !is_aligned(a.p, alignment)) {
      fail(found_, "%s(%zu, %zu) gave an address that is %zu short of a multiple of %zu", to_string(w), bytes,
           alignment, padding_to(a.p, alignment), alignment);
    }
    const bool apart = is_apart(w, a.p, bytes, alignment);
    if (full()) {
      give(subject_, false, a.p, {bytes, alignment});
      return a;
    }
    blocks_[count_] = {a.p, {bytes, alignment}, apart ? bytes : 0, ++tag_};
    fill(blocks_[count_++]);
    return a;
  }

  /// Looks at every byte of every block.
  void check_contents() {
    for (std::size_t i = 0; i < count_; ++i)
      check_contents(blocks_[i]);
  }

  /// Gives block `i` back; the last one takes its place.
  void put(std::size_t i, bool by_interface = false) {
    const block b = blocks_[i];
    check_contents(b);
    blocks_[i] = blocks_[--count_];
    if (!give(subject_, by_interface, b.p, b.request) && (concerns_ & outcomes) != 0) {
      fail(found_, "deallocate of %zu bytes aligned to %zu threw", b.request.bytes, b.request.alignment);
    }
  }

  void put_all() {
    while (count_ != 0)
      put(count_ - 1, count_ % 2 == 0);
  }

private:
  struct block {
    std::byte* p = nullptr;
    layout request;
    std::size_t filled = 0; // none, where it shares its memory
    unsigned tag = 0;

    /// Whether [q, q + bytes) lies on this block; zero bytes stand for one, since an address is a block's own.
    [[nodiscard]] bool meets(const std::byte* q, std::size_t bytes) const {
      return within(q, p, request.bytes) == ownership::yes ||
             within(p, q, std::max<std::size_t>(bytes, 1)) == ownership::yes;
    }
    [[nodiscard]] std::byte pattern(std::size_t i) const { return std::byte(tag * 31 + i * 7 + (i >> 8)); }
  };

  void check_outcome(const answer& a, way w, std::size_t bytes, std::size_t alignment) {
    if ((concerns_ & outcomes) == 0) return;
    if (a.is_null) fail(found_, "%s(%zu, %zu) gave null", to_string(w), bytes, alignment);
    if (a.threw_other) {
      fail(found_, "%s(%zu, %zu) threw an exception that is no std::bad_alloc", to_string(w), bytes, alignment);
    }
  }

  bool is_apart(way w, const std::byte* p, std::size_t bytes, std::size_t alignment) {
    for (std::size_t i = 0; i < count_; ++i) {
      if (!blocks_[i].meets(p, bytes)) continue;
      if ((concerns_ & memory) != 0) {
        fail(found_, "%s(%zu, %zu) gave memory of a live block of %zu bytes", to_string(w), bytes, alignment,
             blocks_[i].request.bytes);
      }
      return false;
    }
    return true;
  }

  static void fill(const block& b) {
    for (std::size_t i = 0; i < b.filled; ++i)
      b.p[i] = b.pattern(i);
  }

  void check_contents(const block& b) {
    if ((concerns_ & memory) == 0) return;
    for (std::size_t i = 0; i < b.filled; ++i) {
      if (b.p[i] == b.pattern(i)) continue;
      return fail(found_, "byte %zu of a block of %zu bytes aligned to %zu was changed while the block was live", i,
                  b.request.bytes, b.request.alignment);
    }
  }

  conformance_subject& subject_;
  finding& found_;
  unsigned concerns_;
  std::array<block, most> blocks_;
  std::size_t count_ = 0;
  unsigned tag_ = 0;
};

/// A refusal that nothing excuses.
void expect_served(const answer& a, const conformance_traits& traits, finding& found, way w, layout l) {
  if (a.refused && !traits.bounded && !traits.refuses_everything) {
    fail(found, "%s(%zu, %zu) was refused", to_string(w), l.bytes, l.alignment);
  }
}

/// Still gives out a block, where it did before.
void expect_usable(shelf& blocks, const conformance_traits& traits, finding& found, const char* when) {
  for (const way w : ways{traits}) {
    const answer a = blocks.get(w, 1, 1);
    if (a.p == nullptr && !traits.bounded && !traits.refuses_everything) fail(found, "gives no byte after %s", when);
  }
}

void run_never_null(const conformance_source& source, finding& found) {
  for (const way w : ways{source.traits()}) {
    with_fresh(source, [&](conformance_subject& subject) {
      for (const std::size_t bytes : sizes{0, 1, 0, 3, 8, 17, 64, 1000}) {
        for (const std::size_t alignment : sizes{1, 8, 16}) {
          const answer a = ask(subject, w, bytes, alignment);
          if (a.is_null) fail(found, "%s(%zu, %zu) gave null", to_string(w), bytes, alignment);
          if (a.p != nullptr) give(subject, w == way::interface, a.p, {bytes, alignment});
        }
      }
    });
  }
}

void run_serves(const conformance_source& source, finding& found) {
  const auto& traits = source.traits();
  for (const way w : ways{traits}) {
    with_fresh(source, [&](conformance_subject& subject) {
      shelf blocks{subject, found, outcomes};
      const answer first = blocks.get(w, 1, 1);
      if (traits.refuses_everything ? !first.refused : first.p == nullptr) {
        fail(found, "the first %s(1, 1) was %s", to_string(w), first.p == nullptr ? "refused" : "served");
      }
      for (const std::size_t bytes : sizes{0, 7, 8, 24, 100, 512, 1025, 4096, 10000, 100000}) {
        for (const std::size_t alignment : sizes{std::size_t{1}, alignof(std::max_align_t)}) {
          expect_served(blocks.get(w, bytes, alignment), traits, found, w, {bytes, alignment});
        }
      }
    });
  }
}

void run_alignment(const conformance_source& source, finding& found) {
  for (std::size_t alignment = 1; alignment <= 4096; alignment *= 2) {
    for (const way w : ways{source.traits()}) {
      with_fresh(source, [&](conformance_subject& subject) {
        shelf blocks{subject, found, addresses};
        for (const std::size_t bytes : sizes{alignment, std::size_t{1}, alignment + 1, alignment - 1, std::size_t{17},
                                             3 * alignment + 5, std::size_t{0}, std::size_t{40}}) {
          expect_served(blocks.get(w, bytes, alignment), source.traits(), found, w, {bytes, alignment});
        }
      });
    }
  }
}

void try_large_alignment(const conformance_source& source, finding& found, way w, std::size_t alignment) {
  with_fresh(source, [&](conformance_subject& subject) {
    shelf blocks{subject, found, outcomes | addresses};
    blocks.get(w, 100, alignment);
    expect_usable(blocks, source.traits(), found, "a request with a large alignment");
  });
}

/// The largest one once only: around such a block lie gigabytes, and under MALLOC_PERTURB_ the C library fills them.
void run_large_alignment(const conformance_source& source, finding& found) {
  const ways all{source.traits()};
  for (const unsigned power : {13u, 16u, 20u, 24u}) {
    for (const way w : all)
      try_large_alignment(source, found, w, std::size_t{1} << power);
  }
  try_large_alignment(source, found, all[all.size() - 1], std::size_t{1} << 30);
}

void run_huge_sizes(const conformance_source& source, finding& found) {
  constexpr std::size_t half = size_max / 2;
  for (const way w : ways{source.traits()}) {
    with_fresh(source, [&](conformance_subject& subject) {
      shelf blocks{subject, found, outcomes};
      for (const std::size_t alignment : sizes{1, 2, 8, 16, 64, 4096, 1 << 14, 1 << 20, 1 << 24, 1 << 30}) {
        for (const std::size_t bytes : sizes{size_max, size_max - 1, size_max - 7, size_max - 15, size_max - 64,
                                             size_max - alignment + 1, size_max - alignment, size_max - 2 * alignment,
                                             size_max - 4096, half + 1, half + 1 + alignment, half - 1}) {
          const answer a = ask(subject, w, bytes, alignment);
          if (!a.refused) {
            fail(found, "%s(%zu, %zu) %s", to_string(w), bytes, alignment,
                 a.threw_other ? "threw an exception that is no std::bad_alloc" : "was not refused");
          }
        }
      }
      expect_usable(blocks, source.traits(), found, "a request too large for any memory");
    });
  }
}

void run_zero_bytes(const conformance_source& source, finding& found) {
  for (const way w : ways{source.traits()}) {
    for (const std::size_t alignment : sizes{1, 4, 16, 64}) {
      with_fresh(source, [&](conformance_subject& subject) {
        shelf blocks{subject, found, outcomes | memory};
        for (const std::size_t bytes : sizes{0, 0, 8, 0, 1, 0, 0}) {
          expect_served(blocks.get(w, bytes, alignment), source.traits(), found, w, {bytes, alignment});
        }
        if (blocks.size() > 2) blocks.put(1); // and once more where one has gone
        blocks.get(w, 0, alignment);
      });
    }
  }
}

constexpr std::size_t odd_sizes[] = {1,  2,  3,  5,  8,   13,  16,  17,  24,  31, 33,
                                     40, 57, 64, 65, 100, 129, 250, 256, 511, 600};
constexpr std::size_t small_alignments[] = {1, 2, 4, 8, 16};

/// Fills a shelf with blocks of many sizes and alignments.
void stock(shelf& blocks, way w, std::size_t count) {
  for (std::size_t i = 0; i < count; ++i) {
    blocks.get(w, odd_sizes[i % std::size(odd_sizes)], small_alignments[i % std::size(small_alignments)]);
  }
}

void run_contents(const conformance_source& source, finding& found) {
  for (const way w : ways{source.traits()}) {
    with_fresh(source, [&](conformance_subject& subject) {
      shelf blocks{subject, found, memory};
      stock(blocks, w, 100);
      blocks.check_contents();
    });
  }
}

void run_any_order(const conformance_source& source, finding& found) {
  for (const int order : {0, 1, 2}) {
    for (const way w : ways{source.traits()}) {
      with_fresh(source, [&](conformance_subject& subject) {
        shelf blocks{subject, found, memory};
        split_mix random{7};
        stock(blocks, w, 60);
        while (blocks.size() != 0) {
          const std::size_t i = order == 0 ? blocks.size() - 1 : order == 1 ? 0 : random.below(blocks.size());
          blocks.put(i, random.below(2) == 0);
          blocks.check_contents();
        }
        expect_usable(blocks, source.traits(), found, "everything was given back");
      });
    }
  }
}

/// Takes what there is: large blocks first, then ever smaller ones. \return the size of the first block
std::size_t exhaust(shelf& blocks, way w) {
  std::size_t first = 0;
  for (std::size_t bytes = std::size_t{1} << 24; bytes != 0 && !blocks.full();) {
    if (blocks.get(w, bytes, 1).p == nullptr) {
      bytes /= 2;
    } else if (first == 0) {
      first = bytes;
    }
  }
  return first;
}

void run_exhaustion(const conformance_source& source, finding& found) {
  if (!source.traits().bounded) return does_not_apply(found, "it is not bounded");
  for (const way w : ways{source.traits()}) {
    with_fresh(source, [&](conformance_subject& subject) {
      shelf blocks{subject, found, outcomes | memory};
      const std::size_t first = exhaust(blocks, w);
      if (first == 0 || blocks.full()) return;
      for (int i = 0; i < 2; ++i) {
        if (blocks.get(w, first, 1).p != nullptr) fail(found, "gives %zu bytes after it had refused 1", first);
      }
      blocks.check_contents();
      blocks.put_all();
      if (source.traits().reuses_memory && blocks.get(w, first, 1).p == nullptr) {
        fail(found, "refuses %zu bytes that it gave before, when all is back", first);
      }
    });
  }
}

void run_reuse(const conformance_source& source, finding& found) {
  if (!source.traits().reuses_memory || source.traits().refuses_everything)
    return does_not_apply(found, "it does not reuse memory");
  constexpr int turns = 400;
  for (const way w : ways{source.traits()}) {
    with_fresh(source, [&](conformance_subject& subject) {
      // Growth by and by is a loss; a cache fills up, and then there is a doubling of the turns without growth.
      std::size_t held = 0;
      bool always_grew = subject.upstream() != nullptr;
      for (int turn = 1; turn <= turns && !failed(found); ++turn) {
        shelf blocks{subject, found, outcomes};
        const answer first = blocks.get(w, 64, 8);
        if (first.refused && turn != 1) fail(found, "refuses in turn %d what it gave, and got back, before", turn);
        stock(blocks, w, 20);
        if (!always_grew || (turn != turns && turn != turns / 2 && turn != turns / 4 && turn != turns / 8)) continue;
        const std::size_t holds_now = subject.upstream()->memory().live_bytes();
        always_grew = holds_now > std::exchange(held, holds_now);
      }
      if (always_grew) fail(found, "holds ever more upstream memory in %d turns of the same requests", turns);
    });
  }
}

void run_equality(const conformance_source& source, finding& found) {
  with_fresh(source, [&](conformance_subject& subject) {
    if (!subject.base().is_equal(subject.base())) fail(found, "is not equal to itself");
    probe_upstream other;
    if (subject.base().is_equal(other)) fail(found, "is equal to a resource of another type");
    if (subject.equals_a_twin().value_or(false)) fail(found, "is equal to another one over the same upstream");
    if (source.traits().single_instance) return;
    with_fresh(source, [&](conformance_subject& second) {
      if (subject.base().is_equal(second.base()) || subject.base() == second.base()) {
        fail(found, "is equal to another resource of its type");
      }
    });
  });
}

void expect_owns(const conformance_subject& subject, const void* p, ownership never, bool exact, finding& found) {
  const char* const what = never == ownership::no ? "its own block" : "a foreign address";
  const ownership by_base = subject.allots() == nullptr ? subject.owns(p) : subject.allots()->owns(p);
  for (const ownership said : {subject.owns(p), by_base}) {
    if (said == never) fail(found, "owns says %s of %s", never == ownership::no ? "no" : "yes", what);
    if (said == ownership::unknown && exact) fail(found, "owns says unknown of %s, and claims to be exact", what);
  }
}

void run_owns(const conformance_source& source, finding& found) {
  if (!source.traits().owns) return does_not_apply(found, "it has no owns");
  static constexpr char elsewhere = 'x';
  const bool exact = source.traits().owns_is_exact;
  for (const way w : ways{source.traits()}) {
    with_fresh(source, [&](conformance_subject& subject) {
      const char local = 'x';
      for (const std::size_t bytes : sizes{1, 8, 100, 3000}) {
        const answer a = ask(subject, w, bytes, 8);
        if (a.p == nullptr) continue;
        expect_owns(subject, a.p, ownership::no, exact, found);
        expect_owns(subject, a.p + bytes - 1, ownership::no, exact, found);
        expect_owns(subject, &local, ownership::yes, exact, found);
        expect_owns(subject, &elsewhere, ownership::yes, exact, found);
        give(subject, false, a.p, {bytes, 8});
      }
    });
  }
}

void run_deallocate_null(const conformance_source& source, finding& found) {
  if (!source.traits().is_allots) return does_not_apply(found, "the standard interface has no such promise");
  with_fresh(source, [&](conformance_subject& subject) {
    subject.deallocate(nullptr, 16, 8);
    shelf blocks{subject, found, outcomes};
    expect_usable(blocks, source.traits(), found, "deallocate(nullptr, 16, 8)");
    if (subject.upstream() != nullptr && subject.upstream()->memory().deallocations() != 0) {
      fail(found, "gives something back for deallocate(nullptr, 16, 8)");
    }
  });
}

void run_try_never_throws(const conformance_source& source, finding& found) {
  if (source.traits().tries_but_throws) return fail(found, "try_allocate is not noexcept");
  if (!source.traits().tries) return does_not_apply(found, "it has no try_allocate");
  with_fresh(source, [&](conformance_subject& subject) {
    if (subject.try_allocate(size_max, 1) != nullptr) fail(found, "try_allocate(%zu, 1) gave a block", size_max);
    if (subject.upstream() == nullptr) return;
    subject.upstream()->failing().fail_all();
    shelf blocks{subject, found, outcomes};
    for (std::size_t bytes = 1; bytes <= 4096 && !blocks.full(); bytes *= 2)
      blocks.get(way::attempt, bytes, 8);
  });
}

void run_constructor(const conformance_source& source, finding& found) {
  if (!source.traits().has_upstream) return does_not_apply(found, "the fixture offers no upstream");
  with_fresh(source, [&](conformance_subject& subject) {
    const std::size_t calls = subject.upstream()->memory().attempts();
    if (calls != 0) fail(found, "its constructor asked upstream %zu times", calls);
  });
}

/// Requests that make a resource ask its upstream in each of its ways. `on_answer` judges each answer.
template <class F>
void play(conformance_subject&, shelf& blocks, way w, F on_answer) {
  split_mix random{11};
  for (int i = 0; i < 40; ++i) {
    const std::size_t bytes =
        i % 8 == 7 ? 1500 * static_cast<std::size_t>(i) : odd_sizes[random.below(std::size(odd_sizes))];
    const std::size_t alignment = i % 10 == 9 ? 64 : small_alignments[random.below(std::size(small_alignments))];
    on_answer(blocks.get(w, bytes, alignment), layout{bytes, alignment});
    if (i % 3 == 2 && blocks.size() != 0) blocks.put(random.below(blocks.size()), i % 2 == 0);
  }
}

conformance_figures first_figures(const conformance_source& source) {
  conformance_figures figures;
  with_fresh(source, [&](conformance_subject& subject) { figures = subject.figures(); });
  return figures;
}

void run_clean_books(const conformance_source& source, finding& found) {
  const conformance_figures has = first_figures(source);
  if (!has.used && !has.high_water) return does_not_apply(found, "it has neither used() nor high_water()");
  for (const way w : ways{source.traits()}) {
    with_fresh(source, [&](conformance_subject& subject) {
      if (subject.upstream() != nullptr) subject.upstream()->failing().fail_every(3);
      finding other;
      shelf blocks{subject, other, outcomes};
      for (const std::size_t bytes : sizes{8, 100, size_max, 0, 3000, size_max / 2 + 1, 40, 20000, 17, 70000, 1}) {
        for (const std::size_t alignment : sizes{1, 16, 128}) {
          const conformance_figures before = subject.figures();
          const answer a = blocks.get(w, bytes, alignment);
          const conformance_figures after = subject.figures();
          if (!a.refused || (after.used == before.used && after.high_water == before.high_water)) continue;
          fail(found, "%s(%zu, %zu) was refused: used() went from %zu to %zu, high_water() from %zu to %zu",
               to_string(w), bytes, alignment, before.used.value_or(0), after.used.value_or(0),
               before.high_water.value_or(0), after.high_water.value_or(0));
        }
      }
    });
  }
}

/// Holds what a resource says of itself against the blocks that it gave.
class figures_watch {
public:
  figures_watch(conformance_subject& subject, finding& found) : subject_{subject}, found_{found} {}

  void look(const shelf& blocks) {
    const conformance_figures now = subject_.figures();
    const std::size_t live = blocks.bytes();
    if (now.used && *now.used < live) fail(found_, "used() is %zu with %zu bytes live", *now.used, live);
    if (now.high_water && *now.high_water < std::max(live, now.used.value_or(0))) {
      fail(found_, "high_water() is %zu with %zu bytes live and used() %zu", *now.high_water, live,
           now.used.value_or(0));
    }
    if (now.capacity && *now.capacity < std::max({live, now.used.value_or(0), now.high_water.value_or(0)})) {
      fail(found_, "capacity() is %zu with %zu bytes live, used() %zu and high_water() %zu", *now.capacity, live,
           now.used.value_or(0), now.high_water.value_or(0));
    }
    if (now.high_water.value_or(0) < std::exchange(highest_, now.high_water.value_or(0))) {
      fail(found_, "high_water() fell to %zu", highest_);
    }
  }

private:
  conformance_subject& subject_;
  finding& found_;
  std::size_t highest_ = 0;
};

void run_figures(const conformance_source& source, finding& found) {
  const conformance_figures has = first_figures(source);
  if (!has.used && !has.high_water && !has.capacity) {
    return does_not_apply(found, "it has none of used(), capacity() and high_water()");
  }
  for (const bool takes_all : {false, true}) {
    for (const way w : ways{source.traits()}) {
      with_fresh(source, [&](conformance_subject& subject) {
        const conformance_figures start = subject.figures();
        finding other;
        shelf blocks{subject, other, outcomes};
        figures_watch watch{subject, found};
        if (takes_all && start.capacity) {
          exhaust(blocks, w);
          watch.look(blocks);
        } else {
          play(subject, blocks, w, [&](const answer&, layout) { watch.look(blocks); });
        }
        blocks.put_all();
        watch.look(blocks);
        if (source.traits().reuses_memory && subject.figures().used != start.used) {
          fail(found, "used() is %zu when all is back", subject.figures().used.value_or(0));
        }
      });
    }
  }
}

/// Asks for what `remaining` says and `more`, from a resource with a few blocks live.
void try_remaining(const conformance_source& source, finding& found, way w, std::size_t alignment, std::size_t more) {
  with_fresh(source, [&](conformance_subject& subject) {
    finding other;
    shelf blocks{subject, other, 0};
    if (alignment > 1) stock(blocks, w, 5);
    const std::size_t room = subject.remaining(alignment).value_or(0);
    if (room > probe_upstream::largest_bytes || room + more == 0) return;
    const bool may_grow = subject.upstream() != nullptr && !subject.figures().capacity;
    if (may_grow) subject.upstream()->failing().fail_all(); // what is left is what fits without upstream
    const answer a = blocks.get(w, room + more, alignment);
    if (a.refused == (more != 0)) return;
    fail(found, "remaining(%zu) is %zu, and %s(%zu, %zu) was %s", alignment, room, to_string(w), room + more, alignment,
         a.refused ? "refused" : "served");
  });
}

void run_remaining(const conformance_source& source, finding& found) {
  bool has_it = false;
  with_fresh(source, [&](conformance_subject& subject) { has_it = subject.remaining(1).has_value(); });
  if (!has_it) return does_not_apply(found, "it has no remaining()");
  for (const way w : ways{source.traits()}) {
    for (const std::size_t alignment : sizes{1, 2, 8, 16, 64, 512}) {
      for (const std::size_t more : sizes{0, 1})
        try_remaining(source, found, w, alignment, more);
    }
  }
}

/// What upstream was asked for within one request.
struct asked {
  std::array<layout, 16> list;
  std::size_t count = 0;
  bool refuses = false;
  bool twice = false;

  static bool hear(std::size_t bytes, std::size_t alignment, void* user) noexcept {
    auto& self = *static_cast<asked*>(user);
    const auto end = self.list.begin() + static_cast<std::ptrdiff_t>(self.count);
    self.twice = self.twice || std::find(self.list.begin(), end, layout{bytes, alignment}) != end;
    if (self.count != self.list.size()) self.list[self.count++] = {bytes, alignment};
    return self.refuses;
  }
};

void run_asks_once(const conformance_source& source, finding& found) {
  if (!source.traits().is_allots) return does_not_apply(found, "the standard interface has no such promise");
  if (!source.traits().has_upstream) return does_not_apply(found, "the fixture offers no upstream");
  if (source.traits().asks_again) return does_not_apply(found, "it says that it asks again");
  for (const way w : ways{source.traits()}) {
    with_fresh(source, [&](conformance_subject& subject) {
      asked questions;
      subject.upstream()->failing().fail_if(asked::hear, &questions);
      finding other;
      shelf blocks{subject, other, outcomes};
      for (std::size_t i = 0; i < 60; ++i) {
        questions = {.list = {}, .refuses = i % 2 == 0};
        const std::size_t bytes = i % 10 < 2 ? i * 700 : odd_sizes[i % std::size(odd_sizes)];
        const std::size_t alignment = small_alignments[i % std::size(small_alignments)];
        blocks.get(w, bytes, alignment);
        if (questions.twice) {
          fail(found, "%s(%zu, %zu) asked upstream twice for the same", to_string(w), bytes, alignment);
        }
      }
    });
  }
}

/// Plays with upstream's first call failing, then its second, and so on, until no call is left to fail.
template <class F>
void play_with_failures(const conformance_source& source, finding& found, F after_each) {
  constexpr std::size_t most_calls = 120;
  for (const way w : ways{source.traits()}) {
    bool failed_one = true;
    for (std::size_t k = 1; k <= most_calls && failed_one && !failed(found); ++k) {
      upstream_verdict end;
      with_fresh(source, [&](conformance_subject& subject) {
        auto& failing = subject.upstream()->failing();
        subject.upstream()->tell_at_end(end);
        failing.fail_at(k);
        {
          shelf blocks{subject, found, outcomes | memory};
          std::size_t before = 0;
          play(subject, blocks, w, [&](const answer& a, layout l) {
            const bool was_injected = std::exchange(before, failing.failures_injected()) != before;
            if (!a.refused || !was_injected) return; // "serves" looks at the others
            expect_served(blocks.get(w, l.bytes, l.alignment), source.traits(), found, w, l);
          });
        }
        failed_one = failing.failures_injected() != 0;
      });
      after_each(end, k);
    }
  }
}

void run_upstream_failure(const conformance_source& source, finding& found) {
  if (!source.traits().has_upstream) return does_not_apply(found, "the fixture offers no upstream");
  play_with_failures(source, found, [](const upstream_verdict&, std::size_t) {});
}

void run_upstream_failure_leaks(const conformance_source& source, finding& found) {
  if (!source.traits().has_upstream) return does_not_apply(found, "the fixture offers no upstream");
  finding other;
  play_with_failures(source, other, [&](const upstream_verdict& end, std::size_t k) {
    if (end.leaked_blocks != 0) {
      fail(found, "keeps %zu upstream blocks for good after upstream's call %zu failed", end.leaked_blocks, k);
    }
    if (end.errors != 0) {
      char text[200];
      describe(*end.first_error, text);
      fail(found, "after upstream's call %zu failed: %s", k, text);
    }
  });
}

/// Plays, and lets `judge` look at what upstream saw.
template <class F>
void judge_upstream(const conformance_source& source, finding& found, F judge) {
  if (!source.traits().has_upstream) return does_not_apply(found, "the fixture offers no upstream");
  finding other;
  for (const way w : ways{source.traits()}) {
    with_fresh(source, [&](conformance_subject& subject) {
      {
        shelf blocks{subject, other, outcomes};
        play(subject, blocks, w, [](const answer&, layout) {});
      }
      judge(*subject.upstream());
    });
  }
}

void fail_with_first(finding& found, checking_resource& memory) {
  char text[200] = "";
  if (const auto first = memory.first_error()) describe(*first, text);
  fail(found, "%s", text);
}

void run_gives_back(const conformance_source& source, finding& found) {
  judge_upstream(source, found, [&](probe_upstream& up) {
    auto& memory = up.memory();
    for (const auto fault : {memory_fault::wrong_size, memory_fault::wrong_alignment, memory_fault::foreign_pointer,
                             memory_fault::double_free}) {
      if (memory.errors(fault) != 0) fail_with_first(found, memory);
    }
  });
}

void run_in_bounds(const conformance_source& source, finding& found) {
  judge_upstream(source, found, [&](probe_upstream& up) {
    auto& memory = up.memory();
    memory.check();
    for (const auto fault : {memory_fault::underrun, memory_fault::overrun, memory_fault::write_after_free}) {
      if (memory.errors(fault) != 0) fail_with_first(found, memory);
    }
  });
}

void run_goes_back_clean(const conformance_source& source, finding& found) {
#if ALLOT_ASAN || ALLOT_VALGRIND
  judge_upstream(source, found, [&](probe_upstream& up) {
    if (up.memory().errors(memory_fault::poisoned) != 0) fail_with_first(found, up.memory());
  });
#else
  (void)source;
  does_not_apply(found, "only AddressSanitizer and Memcheck can tell");
#endif
}

void run_leaks_nothing(const conformance_source& source, finding& found) {
  if (!source.traits().has_upstream) return does_not_apply(found, "the fixture offers no upstream");
  finding other;
  for (const way w : ways{source.traits()}) {
    upstream_verdict end;
    with_fresh(source, [&](conformance_subject& subject) {
      subject.upstream()->tell_at_end(end);
      shelf blocks{subject, other, outcomes};
      play(subject, blocks, w, [](const answer&, layout) {});
    });
    if (end.leaked_blocks != 0) fail(found, "has not given %zu upstream blocks back when it ends", end.leaked_blocks);
  }
}

void run_deallocate_never_fails(const conformance_source& source, finding& found) {
  if (!source.traits().has_upstream) return does_not_apply(found, "the fixture offers no upstream");
  for (const way w : ways{source.traits()}) {
    with_fresh(source, [&](conformance_subject& subject) {
      shelf blocks{subject, found, outcomes};
      stock(blocks, w, 60);
      subject.upstream()->failing().fail_all();
      blocks.put_all();
    });
  }
}

/// One bit for each request of a script: served or not. The script holds requests that fail for different reasons.
std::uint64_t served_bits(const conformance_source& source, way w, std::size_t failing_call, finding& found) {
  std::uint64_t bits = 0;
  with_fresh(source, [&](conformance_subject& subject) {
    if (subject.upstream() != nullptr && failing_call != 0) subject.upstream()->failing().fail_at(failing_call);
    shelf blocks{subject, found, outcomes};
    std::size_t i = 0;
    for (const std::size_t bytes : sizes{std::size_t{8}, std::size_t{100}, size_max, std::size_t{0}, std::size_t{3000},
                                         size_max / 2 + 1, std::size_t{40}, std::size_t{20000}, std::size_t{17},
                                         std::size_t{70000}, std::size_t{1}, std::size_t{500}, std::size_t{500}}) {
      for (const std::size_t alignment : sizes{1, 16, 128}) {
        if (blocks.get(w, bytes, alignment).p != nullptr) bits |= std::uint64_t{1} << i;
        ++i;
      }
      if (i % 12 == 0 && blocks.size() != 0) blocks.put(0);
    }
  });
  return bits;
}

void run_try_agrees(const conformance_source& source, finding& found) {
  if (!source.traits().tries) return does_not_apply(found, "it has no try_allocate");
  const ways all{source.traits()};
  const std::size_t most = source.traits().has_upstream ? 24 : 0;
  finding other;
  for (std::size_t k = 0; k <= most; ++k) {
    const std::uint64_t expected = served_bits(source, all[0], k, other);
    for (const way w : all) {
      const std::uint64_t differ = served_bits(source, w, k, other) ^ expected;
      if (differ == 0) continue;
      fail(found, "%s and %s disagree over a request when upstream's call %zu fails (0: none)", to_string(all[0]),
           to_string(w), k);
    }
  }
}

void run_random(const conformance_source& source, finding& found, std::uint64_t seed) {
  const ways all{source.traits()};
  upstream_verdict end;
  with_fresh(source, [&](conformance_subject& subject) {
    split_mix random{seed};
    const bool failing = subject.upstream() != nullptr && seed % 2 == 0;
    if (subject.upstream() != nullptr) subject.upstream()->tell_at_end(end);
    if (failing) subject.upstream()->failing().fail_with_probability(0.1, seed);
    shelf blocks{subject, found, everything};
    for (int i = 0; i < 1000 && !failed(found); ++i) {
      if (blocks.size() != 0 && (blocks.full() || random.below(5) < 2)) {
        blocks.put(random.below(blocks.size()), random.below(2) == 0);
        continue;
      }
      const bool is_large = !source.traits().bounded && random.below(50) == 0;
      const std::size_t bytes = random.below(std::size_t{1} << (is_large ? 17 : random.below(12)));
      const std::size_t alignment = std::size_t{1} << random.below(8);
      const way w = all[random.below(all.size())];
      const answer a = blocks.get(w, bytes, alignment);
      if (!failing) expect_served(a, source.traits(), found, w, {bytes, alignment});
    }
    blocks.check_contents();
  });
  if (end.leaked_blocks != 0) fail(found, "has not given %zu upstream blocks back when it ends", end.leaked_blocks);
  if (end.errors != 0) {
    char text[200];
    describe(*end.first_error, text);
    fail(found, "%s", text);
  }
}

void run_random_model(const conformance_source& source, finding& found) {
  for (std::uint64_t seed = 1; seed <= 6; ++seed) {
    finding one;
    run_random(source, one, seed);
    if (failed(one)) return fail(found, "seed %llu: %s", static_cast<unsigned long long>(seed), one.reason);
  }
}

constexpr conformance_check all_checks[] = {
    {"never_null", "allocate never gives null", run_never_null},
    {"serves", "ordinary requests are served, or, where it is bounded, the first one", run_serves},
    {"alignment", "a block starts at a multiple of its alignment, for 1 to 4096", run_alignment},
    {"large_alignment", "alignments to 2^30 are served, or refused with no harm done", run_large_alignment},
    {"huge_sizes", "sizes near SIZE_MAX are refused by std::bad_alloc or null, with no harm done", run_huge_sizes},
    {"zero_bytes", "zero bytes have an address of their own", run_zero_bytes},
    {"contents", "live blocks do not overlap and keep their contents", run_contents},
    {"any_order", "blocks can be given back in any order", run_any_order},
    {"exhaustion", "a bounded resource refuses again what it refused, and gives again what came back", run_exhaustion},
    {"reuse", "memory that came back is used again", run_reuse},
    {"clean_books", "a refusal leaves used() and high_water() as they were", run_clean_books},
    {"figures", "used(), high_water() and capacity() agree with the live blocks and each other", run_figures},
    {"remaining", "remaining(alignment) bytes fit, and one more does not", run_remaining},
    {"equality", "it is equal to itself and to nothing else", run_equality},
    {"owns", "owns tells its blocks from other memory, or says unknown", run_owns},
    {"deallocate_null", "deallocate ignores null", run_deallocate_null},
    {"try_never_throws", "try_allocate is noexcept and gives null on failure", run_try_never_throws},
    {"try_agrees", "try_allocate gives null exactly where allocate fails", run_try_agrees},
    {"idle_constructor", "the constructor asks upstream for nothing", run_constructor},
    {"asks_once", "no request asks upstream twice for the same", run_asks_once},
    {"gives_back", "upstream gets the pointer, the size and the alignment back that it gave", run_gives_back},
    {"in_bounds", "nothing is written outside of what upstream gave, or after it went back", run_in_bounds},
    {"goes_back_clean", "memory goes back to upstream unpoisoned", run_goes_back_clean},
    {"leaks_nothing", "when it ends, upstream has everything back", run_leaks_nothing},
    {"upstream_failure", "a failure of upstream is a clean one, and the request can be repeated", run_upstream_failure},
    {"upstream_failure_leaks", "no failure of upstream makes it lose a block", run_upstream_failure_leaks},
    {"quiet_deallocate", "deallocate does not fail when upstream has nothing more to give", run_deallocate_never_fails},
    {"random_model", "a random sequence agrees with a model of it", run_random_model},
};

} // namespace

std::span<const conformance_check> conformance_checks() noexcept { return all_checks; }

finding run_check(const conformance_check& check, const conformance_source& source) {
  finding found{.check = check.name};
  if (ways{source.traits()}.size() == 0) {
    does_not_apply(found, "without exceptions it cannot be asked: it has no try_allocate");
  } else {
    check.run(source, found);
  }
  return found;
}

} // namespace allot::inline ALLOT_ABI
