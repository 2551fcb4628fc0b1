// Adaptors in a random order over a random source. For each request it is foretold what each layer sees, which one refuses,
// and what each then says of itself.

#include <allot/adaptor/aligned_adaptor.hpp>
#include <allot/adaptor/counting_adaptor.hpp>
#include <allot/adaptor/limit_adaptor.hpp>
#include <allot/adaptor/retry_adaptor.hpp>
#include <allot/adaptor/shared_counters.hpp>
#include <allot/adaptor/striped_counters.hpp>
#include <allot/adaptor/tag_adaptor.hpp>
#include <allot/adaptor/trace_adaptor.hpp>
#include <allot/adaptor/trace_callback.hpp>
#include <allot/core/tag.hpp>

#include "ask.hpp"
#include "shadow.hpp"
#include "target.hpp"
#include "upstream.hpp"

#include <algorithm>
#include <array>
#include <cstddef>
#include <memory>
#include <optional>
#include <string_view>
#include <vector>

namespace {

using allot::layout;
using fuzz::input;

/// How a request went through a stack: what the source was asked for, and whether it delivered, in the order of its calls.
struct journal {
  std::vector<std::pair<layout, bool>> calls;
  std::size_t next = 0; // that the forecast has not come to
};

/// The source, which keeps a journal.
class journalling final : public allot::resource_interface<journalling> {
public:
  static constexpr const char* class_name = "journalling";

  explicit journalling(fuzz::upstream& up) noexcept : up_{up} {}
  journal& written() noexcept { return journal_; }

private:
  friend resource_interface;
  void* place(std::size_t bytes, std::size_t alignment) noexcept {
    void* const p = up_.try_allocate(bytes, alignment);
    journal_.calls.emplace_back(layout{bytes, alignment}, p != nullptr);
    return p;
  }
  void give_back(void* p, std::size_t bytes, std::size_t alignment) noexcept { up_.deallocate(p, bytes, alignment); }
  [[nodiscard]] allot::ownership holds(const void* p) const noexcept { return up_.owns(p); }

  fuzz::upstream& up_;
  journal journal_;
};

/// A layer under test, with what is foretold of it.
class layer {
public:
  explicit layer(layer* below) noexcept : below_{below} {}
  layer(const layer&) = delete;
  layer& operator=(const layer&) = delete;
  virtual ~layer() = default;

  virtual allot::resource& resource() = 0;

  /// Foretells a request. \return whether a block comes of it
  virtual bool request(const layout& wanted, journal& source) = 0;
  virtual void give_back(const layout& shape, std::size_t tag) = 0;
  virtual void check() const = 0;

protected:
  /// The same one layer further; below the last one the journal says what happened.
  bool request_below(const layout& wanted, journal& source) {
    if (below_ != nullptr) return below_->request(wanted, source);
    FUZZ_REQUIRE(source.next < source.calls.size());
    const auto [seen, delivered] = source.calls[source.next++];
    FUZZ_REQUIRE(seen == wanted);
    return delivered;
  }
  void give_back_below(const layout& shape, std::size_t tag) {
    if (below_ != nullptr) below_->give_back(shape, tag);
  }

private:
  layer* below_;
};

/// What counters must say, by any policy.
class books {
public:
  void allocated(std::size_t bytes) {
    now_.live_bytes += bytes;
    now_.total_bytes += bytes;
    ++now_.live_blocks;
    ++now_.allocations;
    now_.raise_peaks({now_.live_bytes, now_.live_blocks, bytes});
  }
  void failed() { ++now_.failures; }
  void deallocated(std::size_t bytes) {
    now_.live_bytes -= bytes;
    --now_.live_blocks;
    ++now_.deallocations;
  }
  [[nodiscard]] const allot::counting_snapshot& now() const { return now_; }

private:
  allot::counting_snapshot now_;
};

template <class Counters>
class counting_layer final : public layer {
public:
  counting_layer(allot::resource& up, layer* below) noexcept : layer{below}, real_{up, "counting"} {}
  allot::resource& resource() override { return real_; }
  bool request(const layout& wanted, journal& source) override {
    const bool delivered = request_below(wanted, source);
    if (delivered) {
      books_.allocated(wanted.bytes);
    } else {
      books_.failed();
    }
    return delivered;
  }
  void give_back(const layout& shape, std::size_t tag) override {
    books_.deallocated(shape.bytes);
    give_back_below(shape, tag);
  }
  void check() const override { FUZZ_REQUIRE(real_.snapshot() == books_.now()); }

private:
  allot::counting_adaptor<allot::resource, Counters> real_;
  books books_;
};

class limit_layer final : public layer {
public:
  limit_layer(allot::resource& up, layer* below, std::size_t limit) noexcept
      : layer{below}, limit_{limit}, real_{up, limit, "limit"} {}
  allot::resource& resource() override { return real_; }
  bool request(const layout& wanted, journal& source) override {
    if (wanted.bytes != 0 && (used_ > limit_ || wanted.bytes > limit_ - used_)) {
      ++refusals_;
      return false;
    }
    if (!request_below(wanted, source)) return false;
    used_ += wanted.bytes;
    peak_ = std::max(peak_, used_);
    return true;
  }
  void give_back(const layout& shape, std::size_t tag) override {
    used_ -= shape.bytes;
    give_back_below(shape, tag);
  }
  void check() const override {
    const allot::limit_snapshot now = real_.snapshot();
    FUZZ_REQUIRE(now.used_bytes == used_ && now.peak_bytes == peak_ && now.refusals == refusals_);
  }

private:
  std::size_t limit_;
  std::size_t used_ = 0;
  std::size_t peak_ = 0;
  std::size_t refusals_ = 0;
  allot::limit_adaptor<allot::resource> real_;
};

class aligned_layer final : public layer {
public:
  aligned_layer(allot::resource& up, layer* below, std::size_t minimum) noexcept
      : layer{below}, real_{up, minimum, "aligned"} {}
  allot::resource& resource() override { return real_; }
  bool request(const layout& wanted, journal& source) override { return request_below(raised(wanted), source); }
  void give_back(const layout& shape, std::size_t tag) override { give_back_below(raised(shape), tag); }
  void check() const override {}

private:
  [[nodiscard]] layout raised(const layout& shape) const {
    return {shape.bytes, std::max(shape.alignment, real_.minimum_alignment())};
  }
  allot::aligned_adaptor<allot::resource> real_;
};

/// Frees nothing: the plan of the upstream is what makes another attempt succeed.
class retry_layer final : public layer {
public:
  retry_layer(allot::resource& up, layer* below, std::size_t attempts) noexcept
      : layer{below}, real_{up, {.callback = again, .user = this, .most_attempts = attempts}, "retry"} {}
  allot::resource& resource() override { return real_; }
  bool request(const layout& wanted, journal& source) override {
    for (std::size_t attempt = 1; attempt <= real_.most_attempts(); ++attempt) {
      if (request_below(wanted, source)) return true;
      if (attempt < real_.most_attempts()) ++expected_;
    }
    return false;
  }
  void give_back(const layout& shape, std::size_t tag) override { give_back_below(shape, tag); }
  void check() const override { FUZZ_REQUIRE(called_ == expected_); }

private:
  static bool again(const allot::failed_attempt&, void* self) noexcept {
    ++static_cast<retry_layer*>(self)->called_;
    return true;
  }
  std::size_t called_ = 0;
  std::size_t expected_ = 0;
  allot::retry_adaptor<allot::resource> real_;
};

class trace_layer final : public layer {
public:
  trace_layer(allot::resource& up, layer* below) noexcept : layer{below}, real_{up, sink_, "trace"} {}
  allot::resource& resource() override { return real_; }
  bool request(const layout& wanted, journal& source) override {
    const bool delivered = request_below(wanted, source);
    expected_.push_back({wanted, allot::trace_operation::allocate, delivered});
    return delivered;
  }
  void give_back(const layout& shape, std::size_t tag) override {
    expected_.push_back({shape, allot::trace_operation::deallocate, true});
    give_back_below(shape, tag);
  }
  void check() const override { FUZZ_REQUIRE(seen_ == expected_); }

private:
  struct event {
    layout shape;
    allot::trace_operation operation;
    bool ok;
    bool operator==(const event&) const = default;
  };
  static void note(const allot::trace_event& e, void* self) noexcept {
    FUZZ_REQUIRE((e.pointer == nullptr) == (e.outcome == allot::trace_outcome::failed));
    static_cast<trace_layer*>(self)->seen_.push_back(
        {{e.bytes, e.alignment}, e.operation, e.outcome == allot::trace_outcome::ok});
  }
  std::vector<event> seen_;
  std::vector<event> expected_;
  allot::trace_callback sink_{note, this};
  allot::trace_adaptor<allot::resource, allot::trace_callback> real_;
};

constexpr std::array<const char*, 6> tag_texts{"(untagged)", "a", "bb", "", "a\"\n", "\xff"};
std::size_t current_tag_index = 0; // of the tag under which the request in flight is made; 0: none

/// More tags than it has rows for: the first three that come get one.
class tag_layer final : public layer {
public:
  tag_layer(allot::resource& up, layer* below) noexcept : layer{below}, real_{up, "tag"} {}
  allot::resource& resource() override { return real_; }
  bool request(const layout& wanted, journal& source) override {
    books& mine = row_of(current_tag_index);
    const layout larger = with_prefix(wanted);
    const bool delivered = larger.bytes != 0 && request_below(larger, source);
    if (!delivered) {
      mine.failed();
      return false;
    }
    mine.allocated(wanted.bytes);
    reserved_ += larger.bytes;
    return true;
  }
  void give_back(const layout& shape, std::size_t tag) override {
    row_of(tag).deallocated(shape.bytes);
    reserved_ -= with_prefix(shape).bytes;
    give_back_below(with_prefix(shape), tag);
  }
  void check() const override {
    const auto table = real_.tags();
    FUZZ_REQUIRE(table.size() == rows_.size() + 2 && real_.reserved() == reserved_);
    std::size_t used = untagged_.now().live_bytes + other_.now().live_bytes;
    FUZZ_REQUIRE(same(table.rows[0], untagged_) && same(table.rows[table.size() - 1], other_));
    for (const row& one : rows_) {
      const auto* const found = table.find(tag_texts[one.tag]);
      FUZZ_REQUIRE(found != nullptr && same(*found, one.of));
      used += one.of.now().live_bytes;
    }
    FUZZ_REQUIRE(real_.used() == used);
  }

private:
  static constexpr std::size_t most_tags = 3;
  struct row {
    std::size_t tag;
    books of;
  };
  static bool same(const allot::tag_snapshot& seen, const books& expected) {
    return static_cast<const allot::counting_snapshot&>(seen) == expected.now();
  }
  /// Of no bytes where that is more than there can be.
  static layout with_prefix(const layout& shape) {
    const auto whole =
        allot::checked_add(std::max<std::size_t>(shape.alignment, 4), std::max<std::size_t>(shape.bytes, 1));
    return {whole.value_or(0), shape.alignment};
  }
  books& row_of(std::size_t tag) {
    if (tag == 0) return untagged_;
    for (row& one : rows_) {
      if (one.tag == tag) return one.of;
    }
    if (rows_.size() == most_tags) return other_;
    return rows_.emplace_back(row{tag, {}}).of;
  }
  books untagged_;
  books other_;
  std::vector<row> rows_;
  std::size_t reserved_ = 0;
  allot::tag_adaptor<allot::resource, allot::max_tags_t<most_tags>> real_;
};

class chain_run {
public:
  explicit chain_run(input& in) : in_{in} {
    const std::size_t depth = in.below(6);
    for (std::size_t i = 0; i < depth; ++i)
      add_layer();
  }

  void go() {
    while (!in_.is_empty()) {
      const std::size_t operation = in_.below(8);
      if (operation == 7) {
        up_.plan(in_);
      } else if (operation >= 4 && !blocks_.is_empty()) {
        free_one(in_.byte() % blocks_.size());
      } else {
        allocate(in_.request());
      }
      for (const auto& one : layers_)
        one->check();
    }
    while (!blocks_.is_empty())
      free_one(blocks_.size() - 1);
    for (const auto& one : layers_)
      one->check();
  }

private:
  void add_layer() {
    allot::resource& up = top();
    layer* const below = layers_.empty() ? nullptr : layers_.back().get();
    switch (in_.below(8)) {
    case 0: return add(std::make_unique<counting_layer<allot::plain_counters_t>>(up, below));
    case 1: return add(std::make_unique<counting_layer<allot::shared_counters_t>>(up, below));
    case 2: return add(std::make_unique<counting_layer<allot::striped_counters_t<>>>(up, below));
    case 3: return add(std::make_unique<limit_layer>(up, below, static_cast<std::size_t>(in_.word(2))));
    case 4: return add(std::make_unique<aligned_layer>(up, below, std::size_t{1} << in_.below(10)));
    case 5: return add(std::make_unique<retry_layer>(up, below, 1 + in_.below(3)));
    case 6: return add(std::make_unique<trace_layer>(up, below));
    default: return add(std::make_unique<tag_layer>(up, below));
    }
  }
  void add(std::unique_ptr<layer> one) { layers_.push_back(std::move(one)); }

  allot::resource& top() { return layers_.empty() ? source_ : layers_.back()->resource(); }

  void allocate(const layout& wanted) {
    const std::size_t tag = in_.below(tag_texts.size());
    const std::size_t way = in_.byte();
    source_.written() = {};
    void* p = nullptr;
    if (tag == 0) {
      p = fuzz::ask(top(), wanted, way);
    } else {
      const allot::tag_scope here{allot::tag_name::of_static(tag_texts[tag])};
      p = fuzz::ask(top(), wanted, way);
    }
    current_tag_index = tag;
    journal& written = source_.written();
    const bool delivered = layers_.empty() ? written.calls.front().second : layers_.back()->request(wanted, written);
    FUZZ_REQUIRE(delivered == (p != nullptr));
    FUZZ_REQUIRE(layers_.empty() || written.next == written.calls.size());
    if (p == nullptr) return;
    FUZZ_REQUIRE(top().owns(p) == allot::ownership::yes || top().owns(p) == allot::ownership::unknown);
    blocks_.add(p, wanted);
    tags_.push_back(tag);
  }

  void free_one(std::size_t index) {
    const auto gone = blocks_.remove(index);
    const std::size_t tag = tags_[index];
    tags_.erase(tags_.begin() + static_cast<std::ptrdiff_t>(index));
    fuzz::give_back(top(), gone.p, gone.shape, in_.byte());
    if (!layers_.empty()) layers_.back()->give_back(gone.shape, tag);
  }

  input& in_;
  fuzz::upstream up_;
  journalling source_{up_};
  std::vector<std::unique_ptr<layer>> layers_; // the outermost one last
  fuzz::shadow blocks_;
  std::vector<std::size_t> tags_; // of each live block
};

void run(input& in) { chain_run{in}.go(); }

} // namespace

FUZZ_TARGET(run)
