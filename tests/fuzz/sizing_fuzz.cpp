// sizing_resource against the arena that it foretells: the same calls succeed there, and with one byte less one of them fails.

#include <allot/arena/bump_resource.hpp>
#include <allot/arena/sizing_resource.hpp>

#include "ask.hpp"
#include "shadow.hpp"
#include "target.hpp"
#include "upstream.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <new>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace {

using fuzz::input;

enum class kind : unsigned char { allocate, deallocate, mark, rewind, reset };

/// One call, as both resources get it. What it is of is a number that counts the blocks, or the marks, that live.
struct call {
  kind what;
  allot::layout shape;
  std::size_t index = 0;
};

/// Has an arena of `bytes` bytes make the calls. \return whether all of them were served
bool is_served(const std::vector<call>& calls, std::size_t bytes, std::size_t alignment) {
  using arena_type = allot::bump_resource<>;
  struct freed {
    std::size_t alignment;
    void operator()(std::byte* p) const noexcept { ::operator delete (p, std::align_val_t{alignment}); }
  };
  const std::unique_ptr<std::byte, freed> memory{
      static_cast<std::byte*>(::operator new (bytes, std::align_val_t{alignment})), {alignment}};
  arena_type arena{std::span{memory.get(), bytes}};
  fuzz::shadow blocks;
  std::vector<std::pair<arena_type::mark_type, std::size_t>> marks;
  for (const call& c : calls) {
    switch (c.what) {
    case kind::allocate: {
      void* const p = arena.try_allocate(c.shape.bytes, c.shape.alignment);
      if (p == nullptr) return false;
      blocks.add(p, c.shape);
      break;
    }
    case kind::deallocate: {
      const auto gone = blocks.remove(c.index);
      arena.deallocate(gone.p, gone.shape.bytes, gone.shape.alignment);
      break;
    }
    case kind::mark: marks.emplace_back(arena.mark(), blocks.last()); break;
    case kind::rewind:
      blocks.remove_after(marks[c.index].second);
      arena.rewind(marks[c.index].first);
      marks.erase(marks.begin() + static_cast<std::ptrdiff_t>(c.index), marks.end());
      break;
    case kind::reset:
      blocks.clear();
      marks.clear();
      arena.reset();
      break;
    }
  }
  return true;
}

class sizing_run {
  using sizing = allot::sizing_resource<fuzz::upstream, 64>;

public:
  explicit sizing_run(input& in) : in_{in} {
    up_.let_misalign();
    up_.plan(in);
  }

  void go() {
    for (std::size_t steps = 0; !in_.is_empty() && steps < 200; ++steps) {
      step();
      check_figures();
    }
    blocks_.look();
    const std::size_t needed = sized_.needed_bytes();
    if (needed == 0) {
      FUZZ_REQUIRE(sized_.requests() == 0);
      return;
    }
    const std::size_t alignment = sized_.needed_alignment();
    FUZZ_REQUIRE(is_served(calls_, needed, alignment));
    FUZZ_REQUIRE(!is_served(calls_, needed - 1, alignment));
    FUZZ_REQUIRE(is_served(calls_, needed + 1 + in_.below(200), alignment));
  }

private:
  void step() {
    switch (in_.below(16)) {
    case 8:
    case 9:
    case 10: return free_one(in_.byte());
    case 11: return free_one(blocks_.size() - 1);
    case 12: return mark();
    case 13: return rewind();
    case 14: return in_.below(8) == 0 ? reset() : up_.plan(in_);
    default: return allocate({in_.size(), std::size_t{1} << in_.below(8)});
    }
  }

  void allocate(const allot::layout& wanted) {
    const std::size_t needed = sized_.needed_bytes();
    const std::size_t refusals = up_.refusals();
    void* const p = fuzz::ask(sized_, wanted, in_.byte());
    if (p == nullptr) {
      FUZZ_REQUIRE(sized_.needed_bytes() == needed);
      FUZZ_REQUIRE(wanted.alignment > 64 || up_.excuses(wanted, refusals));
      return;
    }
    FUZZ_REQUIRE(wanted.alignment <= 64);
    blocks_.add(p, wanted);
    calls_.push_back({kind::allocate, wanted});
    ++served_;
    high_water_ = std::max(high_water_, blocks_.bytes());
  }

  void free_one(std::size_t chosen) {
    if (blocks_.is_empty()) return;
    const std::size_t index = chosen % blocks_.size();
    calls_.push_back({.what = kind::deallocate, .shape = {}, .index = index});
    const auto gone = blocks_.remove(index);
    fuzz::give_back(sized_, gone.p, gone.shape, in_.byte());
  }

  void mark() {
    if (marks_.size() == 16) return;
    marks_.push_back({sized_.mark(), blocks_.last()});
    calls_.push_back({.what = kind::mark, .shape = {}});
  }

  void rewind() {
    if (marks_.empty()) return;
    const std::size_t index = in_.below(marks_.size());
    blocks_.remove_after(marks_[index].last_block);
    sized_.rewind(marks_[index].of_sizing);
    marks_.erase(marks_.begin() + static_cast<std::ptrdiff_t>(index), marks_.end());
    calls_.push_back({.what = kind::rewind, .shape = {}, .index = index});
  }

  void reset() {
    blocks_.clear();
    marks_.clear();
    sized_.reset();
    calls_.push_back({.what = kind::reset, .shape = {}});
  }

  void check_figures() const {
    FUZZ_REQUIRE(sized_.used() == blocks_.bytes() && sized_.live_blocks() == blocks_.size());
    FUZZ_REQUIRE(sized_.high_water() == high_water_ && sized_.requests() == served_);
    FUZZ_REQUIRE(sized_.reserved() == up_.bytes() && up_.blocks() == blocks_.size());
    FUZZ_REQUIRE(sized_.needed_bytes() >= high_water_);
  }

  struct marked {
    sizing::mark_type of_sizing;
    std::size_t last_block;
  };

  input& in_;
  fuzz::upstream up_;
  sizing sized_{up_, "fuzz"};
  fuzz::shadow blocks_;
  std::vector<call> calls_;
  std::vector<marked> marks_;
  std::size_t served_ = 0;
  std::size_t high_water_ = 0;
};

void run(input& in) { sizing_run{in}.go(); }

} // namespace

FUZZ_TARGET(run)
