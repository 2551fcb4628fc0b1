// checking_resource: each misuse of the input's choice is named right, at the right block, and right use is never reported.

#include <allot/testing/checking_resource.hpp>

#include "ask.hpp"
#include "shadow.hpp"
#include "target.hpp"
#include "upstream.hpp"

#include <algorithm>
#include <cstddef>
#include <memory>
#include <utility>
#include <vector>

namespace {

using allot::memory_fault;
using fuzz::input;

class checking_run {
public:
  explicit checking_run(input& in) : in_{in} {
    up_.plan(in);
    allot::checking_options options{.handler = note, .user = this};
    if (in.flag()) options.quarantine_bytes = 4096;
    keeps_all_ = options.quarantine_bytes > 4096;
    checked_ = std::make_unique<allot::checking_resource>(static_cast<allot::resource&>(up_), options);
  }

  void go() {
    for (std::size_t steps = 0; !in_.is_empty() && steps < 300; ++steps) {
      step();
      check_figures();
    }
    blocks_.look();
    (void)checked_->check();
    expect_nothing();
    const std::size_t leaks = blocks_.size();
    for (const auto& b : blocks_.live())
      leaked_.push_back(b.p);
    checked_.reset();
    FUZZ_REQUIRE(seen_.size() == leaks);
    for (std::size_t i = 0; i < leaks; ++i)
      FUZZ_REQUIRE(seen_[i].fault == memory_fault::leak && seen_[i].block == leaked_[i]);
  }

private:
  static void note(const allot::memory_report& what, void* self) noexcept {
    static_cast<checking_run*>(self)->seen_.push_back(what);
  }

  void step() {
    switch (in_.below(20)) {
    case 8:
    case 9:
    case 10: return free_one();
    case 11: return wrong_shape();
    case 12: return overrun();
    case 13: return underrun();
    case 14: return double_free();
    case 15: return foreign_pointer();
    case 16: return write_after_free();
    case 17: return look();
    case 18: return up_.plan(in_);
    case 19:
      return in_.below(4) == 0 ? empty_quarantine() : void(checked_->set_allocation_limit(limit_ = in_.below(40)));
    default: return allocate(in_.request());
    }
  }

  void allocate(const allot::layout& wanted) {
    const std::size_t requests = up_.requests();
    const std::size_t refusals = up_.refusals();
    void* const p = fuzz::ask(*checked_, wanted, in_.byte());
    expect_nothing();
    ++attempts_;
    FUZZ_REQUIRE(limit_ != 0 || (p == nullptr && up_.requests() == requests));
    FUZZ_REQUIRE(p != nullptr || limit_ == 0 || up_.excuses(wanted, refusals));
    if (p == nullptr) return;
    if (limit_ != allot::checking_resource::unlimited) --limit_;
    FUZZ_REQUIRE(!allot::is_aligned(p, 2 * wanted.alignment)); // exactly as asked
    blocks_.add(p, wanted);
    serials_.push_back(++served_);
    total_ += wanted.bytes;
    peak_ = std::max(peak_, blocks_.bytes());
    FUZZ_REQUIRE(checked_->owns(p) == allot::ownership::yes);
    FUZZ_REQUIRE(checked_->last_allocated() == wanted);
  }

  struct gone_block {
    fuzz::shadow::block block;
    std::size_t serial;
  };

  gone_block take_out(std::size_t chosen) {
    const std::size_t index = chosen % blocks_.size();
    const gone_block gone{blocks_.remove(index), serials_[index]};
    serials_.erase(serials_.begin() + static_cast<std::ptrdiff_t>(index));
    return gone;
  }

  void give_back(const gone_block& gone) {
    fuzz::give_back(*checked_, gone.block.p, gone.block.shape, in_.byte());
    if (up_.owns(gone.block.p) == allot::ownership::yes) freed_.push_back(gone);
  }

  void free_one() {
    if (blocks_.is_empty()) return;
    give_back(take_out(in_.byte()));
    expect_nothing();
  }

  void wrong_shape() {
    if (blocks_.is_empty()) return;
    const gone_block gone = take_out(in_.byte());
    allot::layout said{gone.block.shape.bytes + in_.below(3), gone.block.shape.alignment << in_.below(2)};
    checked_->deallocate(gone.block.p, said.bytes, said.alignment);
    if (said.bytes != gone.block.shape.bytes) expect(memory_fault::wrong_size, gone);
    if (said.alignment != gone.block.shape.alignment) expect(memory_fault::wrong_alignment, gone);
    expect_nothing();
  }

  void overrun() {
    if (blocks_.is_empty()) return;
    const std::size_t offset = in_.below(allot::checking_resource::guard_bytes);
    const bool is_by_check = in_.flag();
    const gone_block gone = take_out(in_.byte());
    write(gone.block.p + gone.block.shape.bytes + offset);
    if (is_by_check) (void)checked_->check();
    give_back(gone);
    expect(memory_fault::overrun, gone, static_cast<std::ptrdiff_t>(gone.block.shape.bytes + offset));
    expect_nothing();
  }

  void underrun() {
    if (blocks_.is_empty()) return;
    const auto offset = static_cast<std::ptrdiff_t>(1 + in_.below(allot::checking_resource::guard_bytes));
    const bool is_by_check = in_.flag();
    const gone_block gone = take_out(in_.byte());
    write(gone.block.p - offset);
    if (is_by_check) (void)checked_->check();
    give_back(gone);
    expect(memory_fault::underrun, gone, -offset);
    expect_nothing();
  }

  /// While the block is in quarantine.
  void double_free() {
    const gone_block* const gone = in_quarantine();
    if (gone == nullptr) return;
    checked_->deallocate(gone->block.p, gone->block.shape.bytes, gone->block.shape.alignment);
    expect(memory_fault::double_free, *gone);
    expect_nothing();
  }

  void foreign_pointer() {
    std::byte local[8];
    std::byte* p = local;
    if (!blocks_.is_empty()) {
      const auto& b = blocks_.live()[in_.byte() % blocks_.size()];
      if (b.shape.bytes > 1) p = b.p + 1 + in_.byte() % (b.shape.bytes - 1);
    }
    checked_->deallocate(p, in_.size(), in_.alignment());
    FUZZ_REQUIRE(!seen_.empty() && seen_.front().fault == memory_fault::foreign_pointer && seen_.front().pointer == p);
    ++faults_;
    seen_.erase(seen_.begin());
    expect_nothing();
  }

  void write_after_free() {
    const gone_block* const gone = in_quarantine();
    if (gone == nullptr || gone->block.shape.bytes == 0) return;
    const std::size_t offset = in_.byte() % std::min<std::size_t>(gone->block.shape.bytes, 256);
    write(gone->block.p + offset);
    FUZZ_REQUIRE(checked_->check() == 1);
    expect(memory_fault::write_after_free, *gone, static_cast<std::ptrdiff_t>(offset));
    FUZZ_REQUIRE(checked_->check() == 0); // it was repaired
  }

  void look() {
    FUZZ_REQUIRE(checked_->check() == 0);
    expect_nothing();
  }

  void empty_quarantine() {
    checked_->empty_quarantine();
    freed_.clear();
    FUZZ_REQUIRE(up_.blocks() == blocks_.size());
    expect_nothing();
  }

  /// A value that no guard, fresh or freed byte has.
  static void write(std::byte* at) noexcept { *at = std::byte{0x11}; }

  /// A block that is still there: only where the quarantine holds all of a run, this is known.
  const gone_block* in_quarantine() {
    if (!keeps_all_ || freed_.empty()) return nullptr;
    const gone_block& chosen = freed_[in_.byte() % freed_.size()];
    return up_.owns(chosen.block.p) == allot::ownership::yes && total_ < most_for_quarantine ? &chosen : nullptr;
  }

  void expect(memory_fault fault, const gone_block& at, std::ptrdiff_t offset = 0) {
    FUZZ_REQUIRE(!seen_.empty());
    const allot::memory_report& what = seen_.front();
    FUZZ_REQUIRE(what.fault == fault && what.block == at.block.p && what.serial == at.serial);
    FUZZ_REQUIRE(what.bytes == at.block.shape.bytes && what.alignment == at.block.shape.alignment);
    FUZZ_REQUIRE(offset == 0 || what.offset == offset);
    seen_.erase(seen_.begin());
    ++faults_;
  }

  void expect_nothing() const { FUZZ_REQUIRE(seen_.empty()); }

  void check_figures() const {
    const allot::checking_counts now = checked_->counts();
    FUZZ_REQUIRE(now.live_blocks == blocks_.size() && now.live_bytes == blocks_.bytes());
    FUZZ_REQUIRE(now.attempts == attempts_ && now.allocations == served_ && now.failures == attempts_ - served_);
    FUZZ_REQUIRE(now.deallocations == served_ - blocks_.size());
    FUZZ_REQUIRE(now.total_bytes == total_ && now.peak_bytes == peak_);
    FUZZ_REQUIRE(checked_->errors() == faults_ && checked_->allocation_limit() == limit_);
    FUZZ_REQUIRE(up_.blocks() >= blocks_.size());
  }

  static constexpr std::size_t most_for_quarantine = 1 << 18; // with what is around the blocks below 1 MiB

  input& in_;
  fuzz::upstream up_;
  std::unique_ptr<allot::checking_resource> checked_;
  fuzz::shadow blocks_;
  std::vector<std::size_t> serials_; // of the live blocks, as the resource numbers them
  std::vector<gone_block> freed_;
  std::vector<const void*> leaked_;
  std::vector<allot::memory_report> seen_; // and not yet expected
  std::size_t faults_ = 0;
  std::size_t attempts_ = 0;
  std::size_t served_ = 0;
  std::size_t total_ = 0;
  std::size_t peak_ = 0;
  std::size_t limit_ = allot::checking_resource::unlimited;
  bool keeps_all_ = false;
};

void run(input& in) { checking_run{in}.go(); }

} // namespace

FUZZ_TARGET(run)
