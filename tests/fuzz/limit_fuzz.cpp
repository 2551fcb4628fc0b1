// limit_adaptor: a tree of budgets (two requests below each of two tenants below one process), limits that change in use,
// soft marks, and an upstream that refuses. Each figure and each refusal is foretold.

#include <allot/adaptor/limit_adaptor.hpp>

#include "ask.hpp"
#include "shadow.hpp"
#include "target.hpp"
#include "upstream.hpp"

#include <algorithm>
#include <array>
#include <cstddef>
#include <memory>

namespace {

using fuzz::input;
using level = allot::limit_adaptor<allot::resource>;

/// What one level must say.
class level_model {
public:
  explicit level_model(const allot::budget& limits) : counts_blocks_{limits.blocks != allot::unlimited} {
    set_limit(limits);
  }

  bool set_limit(const allot::budget& limits) {
    limit_ = limits.bytes >= most ? allot::unlimited : limits.bytes;
    block_limit_ = limits.blocks;
    return set_limit(limits.bytes) && blocks_ <= block_limit_;
  }
  bool set_limit(std::size_t bytes) {
    limit_ = bytes >= most ? allot::unlimited : bytes;
    return used_ <= limit_;
  }

  bool admit(std::size_t bytes) {
    const std::size_t bound = std::min(limit_, most);
    const bool fits = bytes == 0 || (used_ <= bound && bytes <= bound - used_);
    if (!fits || (counts_blocks_ && blocks_ >= block_limit_)) {
      ++refusals_;
      return false;
    }
    used_ += bytes;
    if (counts_blocks_) ++blocks_;
    // Once for each crossing: after it was told, not before fewer than `lower` were charged.
    if (used_ - bytes < lower_) is_told_ = false;
    if (used_ >= upper_ && !is_told_) {
      ++calls_;
      is_told_ = true;
    }
    return true;
  }

  void delivered() {
    peak_ = std::max(peak_, used_);
    peak_blocks_ = std::max(peak_blocks_, blocks_);
  }

  void give_back(std::size_t bytes) {
    used_ -= bytes;
    if (counts_blocks_) --blocks_;
  }

  void move_mark(std::size_t upper, std::size_t lower) {
    upper_ = upper;
    lower_ = lower;
  }

  [[nodiscard]] bool counts_blocks() const { return counts_blocks_; }
  [[nodiscard]] bool is_marked() const { return upper_ != allot::unlimited; }

  void check(const level& real, std::size_t calls) const {
    const allot::limit_snapshot expected{.used_bytes = used_,
                                         .limit_bytes = limit_,
                                         .peak_bytes = peak_,
                                         .used_blocks = blocks_,
                                         .limit_blocks = block_limit_,
                                         .peak_blocks = peak_blocks_,
                                         .refusals = refusals_};
    FUZZ_REQUIRE(real.snapshot() == expected);
    FUZZ_REQUIRE(real.used() == used_ && real.limit() == limit_ && real.peak() == peak_);
    const std::size_t left = used_ < limit_ ? limit_ - used_ : 0;
    FUZZ_REQUIRE(real.headroom() == (limit_ == allot::unlimited ? allot::unlimited : left));
    FUZZ_REQUIRE(calls == calls_);
  }

private:
  static constexpr std::size_t most = allot::unlimited / 2;

  const bool counts_blocks_;
  std::size_t limit_ = 0;
  std::size_t block_limit_ = 0;
  std::size_t used_ = 0;
  std::size_t peak_ = 0;
  std::size_t blocks_ = 0;
  std::size_t peak_blocks_ = 0;
  std::size_t refusals_ = 0;
  std::size_t upper_ = allot::unlimited;
  std::size_t lower_ = 0;
  bool is_told_ = false;
  std::size_t calls_ = 0;
};

class limit_run {
public:
  explicit limit_run(input& in) : in_{in} {
    for (std::size_t i = 0; i < count; ++i) {
      const allot::budget limits = budget();
      models_[i] = std::make_unique<level_model>(limits);
      allot::resource& above = i == 0 ? static_cast<allot::resource&>(up_) : *levels_[(i - 1) / 2];
      levels_[i] = std::make_unique<level>(above, limits, "fuzz");
    }
  }

  void go() {
    while (!in_.is_empty()) {
      step();
      for (std::size_t i = 0; i < count; ++i)
        models_[i]->check(*levels_[i], calls_[i]);
    }
    for (std::size_t i = 0; i < count; ++i) {
      while (!blocks_[i].is_empty())
        free_one(i, 0);
    }
    for (std::size_t i = 0; i < count; ++i)
      FUZZ_REQUIRE(levels_[i]->used() == 0 && levels_[i]->used_blocks() == 0);
  }

private:
  static constexpr std::size_t count = 7; // 0 is the process, 1 and 2 the tenants; `(i - 1) / 2` is above `i`

  allot::budget budget() {
    const std::size_t kind = in_.byte();
    allot::budget limits;
    if (kind % 4 != 0) limits.bytes = kind % 4 == 1 ? in_.size() : static_cast<std::size_t>(in_.word(2));
    if (kind / 4 % 2 != 0) limits.blocks = in_.below(32);
    return limits;
  }

  void step() {
    const std::size_t i = in_.below(count);
    switch (in_.below(12)) {
    case 6:
    case 7:
    case 8: return free_one(i, in_.byte());
    case 9: return set_limit(i);
    case 10: return set_mark(i);
    case 11: return up_.plan(in_);
    default: return allocate(i);
    }
  }

  /// From its own level outwards: the first one that refuses gives back what those before it have charged.
  void allocate(std::size_t i) {
    const allot::layout wanted{in_.size(), std::size_t{1} << in_.below(8)};
    std::array<std::size_t, count> path{};
    std::size_t charged = 0;
    bool admitted = true;
    for (std::size_t at = i;; at = (at - 1) / 2) {
      admitted = models_[at]->admit(wanted.bytes);
      if (!admitted) break;
      path[charged++] = at;
      if (at == 0) break;
    }
    const std::size_t requests = up_.requests();
    void* const p = fuzz::ask(*levels_[i], wanted, in_.byte());
    FUZZ_REQUIRE(up_.requests() - requests == (admitted ? 1 : 0));
    FUZZ_REQUIRE(admitted || p == nullptr);
    for (std::size_t n = charged; n > 0; --n) {
      level_model& model = *models_[path[n - 1]];
      p != nullptr ? model.delivered() : model.give_back(wanted.bytes);
    }
    if (p != nullptr) blocks_[i].add(p, wanted);
  }

  void free_one(std::size_t i, std::size_t chosen) {
    if (blocks_[i].is_empty()) return levels_[i]->deallocate(nullptr, 8, 8);
    const auto gone = blocks_[i].remove(chosen % blocks_[i].size());
    fuzz::give_back(*levels_[i], gone.p, gone.shape, chosen);
    for (std::size_t at = i;; at = (at - 1) / 2) {
      models_[at]->give_back(gone.shape.bytes);
      if (at == 0) return;
    }
  }

  void set_limit(std::size_t i) {
    allot::budget limits = budget();
    if (in_.flag()) {
      FUZZ_REQUIRE(levels_[i]->set_limit(limits.bytes) == models_[i]->set_limit(limits.bytes));
      return;
    }
    if (!models_[i]->counts_blocks()) limits.blocks = allot::unlimited;
    FUZZ_REQUIRE(levels_[i]->set_limit(limits) == models_[i]->set_limit(limits));
  }

  void set_mark(std::size_t i) {
    const auto upper = static_cast<std::size_t>(in_.word(2)) + 1;
    const std::size_t lower = static_cast<std::size_t>(in_.word(2)) % (upper + 1);
    if (models_[i]->is_marked()) {
      levels_[i]->move_soft_mark(upper, lower);
    } else {
      const auto count_call = [](std::size_t, void* user) noexcept { ++*static_cast<std::size_t*>(user); };
      levels_[i]->set_soft_mark({.upper = upper, .lower = lower, .callback = count_call, .user = &calls_[i]});
    }
    models_[i]->move_mark(upper, lower);
  }

  input& in_;
  fuzz::upstream up_;
  std::array<std::unique_ptr<level>, count> levels_;
  std::array<std::unique_ptr<level_model>, count> models_;
  std::array<fuzz::shadow, count> blocks_;
  std::array<std::size_t, count> calls_{}; // of each soft mark
};

void run(input& in) { limit_run{in}.go(); }

} // namespace

FUZZ_TARGET(run)
