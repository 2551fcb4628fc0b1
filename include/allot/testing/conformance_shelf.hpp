#pragma once

#include <allot/core/layout.hpp>
#include <allot/core/ownership.hpp>
#include <allot/detail/line_pattern.hpp>
#include <allot/testing/conformance_subject.hpp>
#include <allot/testing/split_mix.hpp>

#include <algorithm>
#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <iterator>
#include <limits>
#include <type_traits>

/// \file
/// What the checks of conformance.hpp have in common: for its own sources, no promises to users.

namespace allot::inline ALLOT_ABI::detail::conformance {

using sizes = std::initializer_list<std::size_t>;

constexpr std::size_t size_max = std::numeric_limits<std::size_t>::max();

/// Keeps the first thing that was wrong.
template <class... Values>
void fail(finding& found, std::type_identity_t<line_pattern<sizeof...(Values)>> pattern, const Values&... values) {
  if (found.result == verdict::failed) return;
  found.result = verdict::failed;
  write_line(found.reason, pattern, values...);
}

void does_not_apply(finding& found, const char* reason);

inline bool failed(const finding& found) { return found.result == verdict::failed; }

template <class F>
void with_fresh(const conformance_source& source, F f) {
  auto counted = [&](conformance_subject& subject) {
    subject.count_in(source.tally());
    f(subject);
  };
  source.with_fresh([](conformance_subject& subject, void* user) { (*static_cast<decltype(counted)*>(user))(subject); },
                    &counted);
}

/// The ways to ask for a block.
enum class way : unsigned char { concrete, interface, attempt, attempt_interface };

const char* to_string(way w);

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
  bool starved = false;     // refused, and upstream had no memory for it
};

/// Asks for a block in one of the ways.
answer ask(conformance_subject& subject, way w, std::size_t bytes, std::size_t alignment);

/// Gives a block back by either way. \return false where that threw
bool give(conformance_subject& subject, bool by_interface, void* p, layout l);

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
      sum += blocks_[i].bytes;
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
      fail(found_, "{}({}, {}) gave an address that is {} short of a multiple of {}", to_string(w), bytes, alignment,
           padding_to(a.p, alignment), alignment);
    }
    const bool apart = is_apart(w, a.p, bytes, alignment);
    if (full()) {
      give(subject_, false, a.p, {bytes, alignment});
      return a;
    }
    blocks_[count_] = {a.p, bytes, static_cast<std::uint8_t>(std::countr_zero(alignment)), apart, ++tag_};
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
    if (!give(subject_, by_interface, b.p, {b.bytes, b.alignment()}) && (concerns_ & outcomes) != 0) {
      fail(found_, "deallocate of {} bytes aligned to {} threw", b.bytes, b.alignment());
    }
  }

  void put_all() {
    while (count_ != 0)
      put(count_ - 1, count_ % 2 == 0);
  }

private:
  /// As small as it can be: a shelf lies on the stack, also of a machine that has 16 KiB in all.
  struct block {
    std::byte* p = nullptr;
    std::size_t bytes = 0;
    std::uint8_t alignment_power = 0;
    bool is_apart = false; // it has its pattern, since it shares its memory with no other
    std::uint16_t tag = 0;

    [[nodiscard]] std::size_t alignment() const { return std::size_t{1} << alignment_power; }
    /// Whether [q, q + size) lies on this block; zero bytes stand for one, since an address is a block's own.
    [[nodiscard]] bool meets(const std::byte* q, std::size_t size) const {
      return within(q, p, bytes) == ownership::yes || within(p, q, std::max<std::size_t>(size, 1)) == ownership::yes;
    }
    [[nodiscard]] std::size_t filled() const { return is_apart ? bytes : 0; }
    [[nodiscard]] std::byte pattern(std::size_t i) const { return std::byte(std::size_t{tag} * 31 + i * 7 + (i >> 8)); }
  };

  void check_outcome(const answer& a, way w, std::size_t bytes, std::size_t alignment) {
    if ((concerns_ & outcomes) == 0) return;
    if (a.is_null) fail(found_, "{}({}, {}) gave null", to_string(w), bytes, alignment);
    if (a.threw_other) {
      fail(found_, "{}({}, {}) threw an exception that is no std::bad_alloc", to_string(w), bytes, alignment);
    }
  }

  bool is_apart(way w, const std::byte* p, std::size_t bytes, std::size_t alignment) {
    for (std::size_t i = 0; i < count_; ++i) {
      if (!blocks_[i].meets(p, bytes)) continue;
      if ((concerns_ & memory) != 0) {
        fail(found_, "{}({}, {}) gave memory of a live block of {} bytes", to_string(w), bytes, alignment,
             blocks_[i].bytes);
      }
      return false;
    }
    return true;
  }

  static void fill(const block& b) {
    for (std::size_t i = 0; i < b.filled(); ++i)
      b.p[i] = b.pattern(i);
  }

  void check_contents(const block& b) {
    if ((concerns_ & memory) == 0) return;
    for (std::size_t i = 0; i < b.filled(); ++i) {
      if (b.p[i] == b.pattern(i)) continue;
      return fail(found_, "byte {} of a block of {} bytes aligned to {} was changed while the block was live", i,
                  b.bytes, b.alignment());
    }
  }

  conformance_subject& subject_;
  finding& found_;
  unsigned concerns_;
  std::array<block, most> blocks_;
  std::size_t count_ = 0;
  std::uint16_t tag_ = 0;
};

/// A refusal that nothing excuses.
void expect_served(const answer& a, const conformance_traits& traits, finding& found, way w, layout l);

/// Still gives out a block, where it did before.
void expect_usable(shelf& blocks, const conformance_traits& traits, finding& found, const char* when);

inline constexpr std::size_t odd_sizes[] = {1,  2,  3,  5,  8,   13,  16,  17,  24,  31, 33,
                                            40, 57, 64, 65, 100, 129, 250, 256, 511, 600};
inline constexpr std::size_t small_alignments[] = {1, 2, 4, 8, 16};

/// Fills a shelf with blocks of many sizes and alignments.
void stock(shelf& blocks, way w, std::size_t count);

/// Takes what there is: large blocks first, then ever smaller ones. \return the size of the first block
std::size_t exhaust(shelf& blocks, way w);

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

} // namespace allot::inline ALLOT_ABI::detail::conformance
