// monotonic_resource with its marks and scopes, over an upstream that refuses and misaligns.

#include <allot/arena/arena_scope.hpp>
#include <allot/arena/monotonic_resource.hpp>

#include "ask.hpp"
#include "shadow.hpp"
#include "target.hpp"
#include "upstream.hpp"

#include <algorithm>
#include <cstddef>
#include <span>
#include <type_traits>
#include <vector>

namespace {

using fuzz::input;

template <class Arena>
class monotonic_run {
public:
  monotonic_run(input& in, Arena& arena, fuzz::upstream& up, std::span<std::byte> buffer, std::size_t min_alignment)
      : in_{in}, arena_{arena}, up_{up}, buffer_{buffer}, min_alignment_{min_alignment} {}

  void go() {
    run_to_the_end(0);
    blocks_.look();
    arena_.release();
    FUZZ_REQUIRE(up_.blocks() == 0 && arena_.reserved() == 0 && arena_.used() == 0);
    arena_.release(); // of nothing
  }

private:
  static constexpr std::size_t deepest = 6;

  struct marked {
    typename Arena::mark_type of_arena;
    std::size_t used;
    std::size_t last_block;
  };

  /// Until the input, or the scope at `depth`, ends.
  void run_to_the_end(std::size_t depth) {
    while (!in_.is_empty()) {
      const std::size_t operation = in_.below(24);
      if (operation == 23 && depth != 0) return;
      step(operation, depth);
      check_figures();
    }
  }

  void step(std::size_t operation, std::size_t depth) {
    switch (operation) {
    case 12:
    case 13: return give_back();
    case 14: return mark();
    case 15: return rewind();
    case 16: return depth == 0 ? reset() : give_back();
    case 17: return depth == 0 ? release() : give_back();
    case 18: return up_.plan(in_);
    case 19: return fill();
    case 20: return one_byte_too_much();
    case 21: return depth == 0 ? repeat() : give_back();
    case 22: return depth < deepest ? scope(depth) : give_back();
    default: (void)allocate(in_.request());
    }
  }

  bool allocate(const allot::layout& wanted) {
    const std::size_t used = arena_.used();
    const std::size_t reserved = arena_.reserved();
    const std::size_t refusals = up_.refusals();
    void* const p = fuzz::ask(arena_, wanted, in_.byte());
    if (p == nullptr) {
      FUZZ_REQUIRE(arena_.used() == used && arena_.reserved() == reserved && up_.excuses(wanted, refusals));
      return false;
    }
    blocks_.add(p, wanted);
    FUZZ_REQUIRE(arena_.owns(p) == allot::ownership::yes);
    FUZZ_REQUIRE((up_.owns(p) == allot::ownership::yes) != is_in_buffer(p));
    const std::size_t taken = arena_.used() - used;
    const std::size_t least = std::max<std::size_t>(wanted.bytes, 1);
    FUZZ_REQUIRE(taken >= least && taken - least < std::max(wanted.alignment, min_alignment_));
    high_water_ = std::max(high_water_, arena_.used());
    return true;
  }

  void give_back() {
    const std::size_t used = arena_.used();
    if (!blocks_.is_empty()) {
      const auto gone = blocks_.remove(in_.below(256) % blocks_.size());
      fuzz::give_back(arena_, gone.p, gone.shape, in_.byte());
    }
    FUZZ_REQUIRE(arena_.used() == used); // nothing is taken back
  }

  void mark() {
    if (marks_.size() == 32) return;
    marks_.push_back({arena_.mark(), arena_.used(), blocks_.last()});
    FUZZ_REQUIRE(arena_.is_latest(marks_.back().of_arena));
  }

  /// No further than to the innermost scope.
  void rewind() {
    if (marks_.size() <= scope_marks_) return;
    const std::size_t index = scope_marks_ + in_.below(marks_.size() - scope_marks_);
    const auto to = marks_[index];
    const std::size_t requests = up_.requests();
    blocks_.remove_after(to.last_block);
    arena_.rewind(to.of_arena);
    marks_.erase(marks_.begin() + static_cast<std::ptrdiff_t>(index), marks_.end());
    FUZZ_REQUIRE(arena_.used() == to.used && up_.requests() == requests);
  }

  /// Marks made in a scope must have been rewound before its end.
  void scope(std::size_t depth) {
    const std::size_t used = arena_.used();
    const std::size_t last = blocks_.last();
    const std::size_t outer_marks = scope_marks_;
    scope_marks_ = marks_.size();
    {
      const allot::arena_scope here{arena_};
      run_to_the_end(depth + 1);
      blocks_.remove_after(last);
      if (marks_.size() > scope_marks_) {
        arena_.rewind(marks_[scope_marks_].of_arena);
        marks_.erase(marks_.begin() + static_cast<std::ptrdiff_t>(scope_marks_), marks_.end());
      }
    }
    scope_marks_ = outer_marks;
    FUZZ_REQUIRE(arena_.used() == used);
  }

  void reset() {
    const std::size_t requests = up_.requests();
    const std::size_t reserved = arena_.reserved();
    forget_all();
    arena_.reset();
    FUZZ_REQUIRE(arena_.used() == 0 && arena_.reserved() == reserved && up_.requests() == requests);
  }

  void release() {
    forget_all();
    arena_.release();
    FUZZ_REQUIRE(arena_.used() == 0 && arena_.reserved() == 0);
  }

  void forget_all() {
    blocks_.clear();
    marks_.clear();
  }

  /// What `remaining` says is served without a call of upstream.
  void fill() {
    const std::size_t alignment = in_.alignment();
    const std::size_t room = arena_.remaining(alignment);
    if (room == 0) return;
    const std::size_t requests = up_.requests();
    FUZZ_REQUIRE(allocate({room, alignment}) && up_.requests() == requests);
  }

  void one_byte_too_much() {
    const std::size_t alignment = in_.alignment();
    const std::size_t requests = up_.requests();
    const bool served = allocate({arena_.remaining(alignment) + 1, alignment});
    FUZZ_REQUIRE(!served || up_.requests() > requests);
  }

  /// The same requests again, after a reset, need no upstream.
  void repeat() {
    reset();
    up_.plan(0, 0);
    std::vector<allot::layout> served;
    const std::size_t count = in_.below(24);
    for (std::size_t i = 0; i < count; ++i) {
      const allot::layout wanted = in_.request();
      if (allocate(wanted)) served.push_back(wanted);
    }
    reset();
    const std::size_t requests = up_.requests();
    for (const allot::layout& wanted : served)
      FUZZ_REQUIRE(allocate(wanted));
    FUZZ_REQUIRE(up_.requests() == requests);
  }

  void check_figures() {
    FUZZ_REQUIRE(arena_.reserved() == up_.bytes());
    FUZZ_REQUIRE(arena_.high_water() == high_water_);
    FUZZ_REQUIRE(arena_.used() >= blocks_.bytes());
    FUZZ_REQUIRE(arena_.owns(this) == allot::ownership::no);
  }

  [[nodiscard]] bool is_in_buffer(const void* p) const noexcept {
    return allot::within(p, buffer_.data(), buffer_.size()) == allot::ownership::yes;
  }

  input& in_;
  Arena& arena_;
  fuzz::upstream& up_;
  std::span<std::byte> buffer_;
  std::size_t min_alignment_;
  std::size_t high_water_ = 0;
  std::size_t scope_marks_ = 0; // marks made before the innermost scope
  fuzz::shadow blocks_;
  std::vector<marked> marks_;
};

template <class Arena, class Upstream>
void run_over(input& in, fuzz::upstream& up, Upstream& below, std::size_t min_alignment) {
  if constexpr (std::is_same_v<Upstream, fuzz::upstream>) up.let_misalign();
  up.plan(in);
  const std::size_t first = in.size(); // of a buffer, or of the first chunk
  if (in.flag()) {
    std::vector<std::byte> buffer(first % 5000);
    Arena arena{buffer.data(), buffer.size(), below, "fuzz"};
    monotonic_run<Arena>{in, arena, up, buffer, min_alignment}.go();
  } else {
    Arena arena{first, below, "fuzz"};
    monotonic_run<Arena>{in, arena, up, {}, min_alignment}.go();
  }
}

void run(input& in) {
  fuzz::upstream up;
  fuzz::foreign_upstream foreign{up};
  switch (in.below(4)) {
#if ALLOT_EXCEPTIONS
  case 0: return run_over<allot::monotonic_resource<>>(in, up, static_cast<std::pmr::memory_resource&>(foreign), 1);
#endif
  case 1: return run_over<allot::monotonic_resource<fuzz::upstream, 16>>(in, up, up, 16);
  case 2: return run_over<allot::monotonic_resource<allot::resource, 4>>(in, up, static_cast<allot::resource&>(up), 4);
  default: return run_over<allot::monotonic_resource<fuzz::upstream>>(in, up, up, 1);
  }
}

} // namespace

FUZZ_TARGET(run)
