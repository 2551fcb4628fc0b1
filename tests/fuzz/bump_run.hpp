#pragma once

#include <allot/core/ownership.hpp>

#include "ask.hpp"
#include "bump_model.hpp"
#include "input.hpp"
#include "require.hpp"
#include "shadow.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>
#include <new>
#include <span>
#include <vector>

namespace fuzz {

/// The type of an arena's marks; of one that has none, any type.
template <class Arena>
struct mark_of {
  using type = int;
};
template <class Arena>
requires requires { typename Arena::mark_type; }
struct mark_of<Arena> {
  using type = typename Arena::mark_type;
};

/// Drives an arena over one buffer by the input, in step with its model: `bump_resource`, `atomic_bump_resource`.
template <class Arena>
class bump_run {
public:
  bump_run(input& in, Arena& arena, const bump_model& model) : in_{in}, arena_{arena}, model_{model} {}

  void go() {
    check_figures(in_.alignment());
    while (!in_.is_empty()) {
      step();
      check_figures(in_.alignment());
    }
    blocks_.look();
  }

private:
  static constexpr bool has_marks = requires(Arena & a) { a.mark(); };

  void step() {
    switch (in_.below(16)) {
    case 8:
    case 9:
    case 10: return free_one(in_.below(256));
    case 11: return free_newest();
    case 12: return mark();
    case 13: return rewind();
    case 14: return in_.below(8) == 0 ? reset() : fill();
    case 15: return in_.below(8) == 0 ? reset_zeroed() : alloc_bytes();
    default: return allocate(in_.request());
    }
  }

  void allocate(const allot::layout& wanted) {
    const auto expected = model_.fit(wanted);
    void* const p = ask(arena_, wanted, in_.byte());
    FUZZ_REQUIRE(reinterpret_cast<std::uintptr_t>(p) == expected.value_or(0));
    if (p != nullptr) took(p, wanted);
  }

  void alloc_bytes() {
    const allot::layout wanted = in_.request();
    const auto expected = model_.fit(wanted);
    const auto span = arena_.alloc_bytes(wanted.bytes, wanted.alignment);
    FUZZ_REQUIRE(span.has_value() == expected.has_value());
    if (!span) return;
    FUZZ_REQUIRE(reinterpret_cast<std::uintptr_t>(span->data()) == *expected && span->size() == wanted.bytes);
    took(span->data(), wanted);
  }

  /// All that is left, to the byte.
  void fill() {
    const std::size_t alignment = in_.alignment();
    const std::size_t room = arena_.remaining(alignment);
    if (room != 0) allocate({room, alignment});
  }

  void took(void* p, const allot::layout& wanted) {
    model_.take(reinterpret_cast<std::uintptr_t>(p));
    blocks_.add(p, wanted);
    FUZZ_REQUIRE(arena_.owns(p) == allot::ownership::yes);
  }

  void free_one(std::size_t index) {
    if (blocks_.is_empty()) return arena_.deallocate(nullptr, in_.size(), in_.alignment());
    const auto gone = blocks_.remove(index % blocks_.size());
    give_back(arena_, gone.p, gone.shape, in_.byte());
    model_.give_back(reinterpret_cast<std::uintptr_t>(gone.p), gone.shape.bytes);
  }

  void free_newest() {
    if (!blocks_.is_empty()) free_one(blocks_.size() - 1);
  }

  void mark() {
    if constexpr (has_marks) {
      if (marks_.size() < 32) marks_.push_back({arena_.mark(), model_.mark(), blocks_.last()});
      FUZZ_REQUIRE(arena_.is_latest(marks_.back().of_arena));
    }
  }

  void rewind() {
    if constexpr (has_marks) {
      if (marks_.empty()) return;
      const std::size_t index = in_.below(marks_.size());
      const auto to = marks_[index];
      blocks_.remove_after(to.last_block);
      arena_.rewind(to.of_arena);
      model_.rewind(to.of_model);
      marks_.erase(marks_.begin() + static_cast<std::ptrdiff_t>(index), marks_.end());
      FUZZ_REQUIRE(marks_.empty() || arena_.is_latest(marks_.back().of_arena));
    }
  }

  void reset() {
    blocks_.clear();
    arena_.reset();
    model_.reset();
    if constexpr (has_marks) marks_.clear();
  }

  /// The buffer was zero at first: then all of it is again.
  void reset_zeroed() {
    reset();
    arena_.reset_zeroed();
    const std::size_t all = arena_.remaining(1);
    if (all == 0) return;
    void* const p = arena_.try_allocate(all, 1);
    FUZZ_REQUIRE(p != nullptr);
    const auto* const bytes = static_cast<const std::byte*>(p);
    FUZZ_REQUIRE(std::all_of(bytes, bytes + all, [](std::byte x) { return x == std::byte{}; }));
    model_.take(reinterpret_cast<std::uintptr_t>(p));
    arena_.reset();
    model_.reset();
  }

  void check_figures(std::size_t alignment) {
    FUZZ_REQUIRE(arena_.used() == model_.used());
    FUZZ_REQUIRE(arena_.capacity() == model_.capacity());
    FUZZ_REQUIRE(arena_.high_water() == model_.high_water());
    const std::size_t room = arena_.remaining(alignment);
    FUZZ_REQUIRE(room == 0 || model_.fit({room, alignment}).has_value());
    FUZZ_REQUIRE(!model_.fit({room + 1, alignment}).has_value());
    FUZZ_REQUIRE(arena_.owns(this) == allot::ownership::no);
  }

  struct marked {
    typename mark_of<Arena>::type of_arena;
    bump_model::mark_type of_model;
    std::uint64_t last_block;
  };

  input& in_;
  Arena& arena_;
  bump_model model_;
  shadow blocks_;
  std::vector<marked> marks_;
};

/// One run over `bytes` bytes at `offset` in a buffer of zeros that begins at a multiple of 64.
template <class Arena, std::size_t MinAlign>
void run_bump_over_span(input& in) {
  constexpr std::size_t most_offset = 64;
  const std::size_t offset = in.below(most_offset);
  const std::size_t bytes = in.below(8) == 0 ? in.below(100) : static_cast<std::size_t>(in.word(2)) % 20'000;
  struct freed {
    void operator()(std::byte* p) const noexcept { ::operator delete (p, std::align_val_t{most_offset}); }
  };
  // To the byte, so that AddressSanitizer sees the one behind.
  const std::unique_ptr<std::byte, freed> memory{
      static_cast<std::byte*>(::operator new (offset + bytes, std::align_val_t{most_offset}))};
  std::memset(memory.get(), 0, offset + bytes);
  const std::span<std::byte> span{memory.get() + offset, bytes};
  {
    Arena arena{span, "fuzz"};
    bump_run<Arena>{in, arena, bump_model{span.data(), span.size(), MinAlign}}.go();
  }
  std::memset(memory.get(), 1, offset + bytes); // all of it is the owner's again
}

/// One run over an arena that owns its bytes: where they lie is seen from the block that takes all of them.
template <class Arena, std::size_t MinAlign>
void run_bump_that_owns(input& in) {
  Arena arena{"fuzz"};
  const std::size_t all = arena.remaining(1);
  void* const begin = arena.try_allocate(all, 1);
  bump_model model{begin, all, MinAlign};
  model.take(reinterpret_cast<std::uintptr_t>(begin));
  model.reset();
  arena.reset_zeroed();
  bump_run<Arena>{in, arena, model}.go();
}

} // namespace fuzz
