#pragma once

#include <allot/core/resource_interface.hpp>
#include <allot/core/upstream.hpp>
#include <allot/detail/arena_model.hpp>
#include <allot/detail/mark_order.hpp>
#include <allot/detail/plain_line.hpp>
#include <allot/detail/upstream_memory.hpp>

#include <algorithm>
#include <concepts>
#include <cstddef>
#include <memory_resource>
#include <new>
#include <span>
#include <string_view>

namespace allot::inline ALLOT_ABI {

/// Finds the N and the Align of the `static_arena<N, Align>` that a workload needs: run it once over this in place of the
/// arena. Its blocks come from an upstream, and its books are those of the arena.
///
///     workload -> sizing_resource -> upstream        ==>   constinit allot::static_arena<1184, 8> log_arena;
///
/// Guarantees
/// - The same calls succeed in an arena of `needed_bytes()` aligned to `needed_alignment()`, and in any larger one; with one
///   byte less one of them fails. Padding counts, and so does a block given back that an arena cannot take back.
/// - It has an arena's `mark`, `rewind` and `reset`, and `arena_scope` takes it.
/// - Blocks that are live at `rewind`, at `reset` or at its end go back to upstream.
/// - A failure changes nothing. Alignments above `MaxAlign` are refused.
///
/// The figures hold for the machine on which they were measured: sizes of objects, and how containers grow, differ between
/// 32 and 64 bits and between libraries. Run it on the target, or, for a first estimate, on the host with -m32.
///
/// Costs: a few instructions for each byte of the largest alignment asked for so far, whatever else was asked for; before
/// each block about ten words. The object is `2 * MaxAlign` words and a few more, a mark `MaxAlign` words.
/// Threads: one thread at a time. `upstream` must outlive it.
///
/// \snippet tests/arena/sizing_resource_test.cpp example
template <class Upstream = std::pmr::memory_resource, std::size_t MaxAlign = 64>
class sizing_resource final : public resource_interface<sizing_resource<Upstream, MaxAlign>> {
  static_assert(detail::resource_type<Upstream>, "the upstream is a memory resource");
  using model = detail::arena_model<MaxAlign>;

public:
  static constexpr const char* class_name = "sizing_resource";

  using upstream_type = Upstream;

  /// A state to come back to: what was allocated when `mark` made it stays, what came later goes.
  class mark_type {
    friend sizing_resource;
    mark_type(const typename model::state& state, std::size_t newest, std::size_t last, std::size_t floor,
              detail::mark_order::number number) noexcept
        : state_{state}, newest_{newest}, last_{last}, floor_{floor}, number_{number} {}

    typename model::state state_;
    std::size_t newest_; // the newest block that was live, or 0
    std::size_t last_;   // the last block that was given out
    std::size_t floor_;  // the floor before this mark
    detail::mark_order::number number_;
  };

  /// \param name  for records and reports; static storage
  explicit sizing_resource(Upstream& upstream,
                           const char* name = nullptr) noexcept requires detail::resource_type<Upstream> :
      upstream_{upstream},
      name_{name} {}

  /// \pre `upstream` is not null
  explicit sizing_resource(Upstream* upstream,
                           const char* name = nullptr) noexcept requires detail::resource_type<Upstream> :
      upstream_{dereferenced(upstream)},
      name_{name} {}

  ~sizing_resource() override { give_back_after(0); }

  /// The bytes of the arena, or 0 where nothing was asked for.
  [[nodiscard]] std::size_t needed_bytes() const noexcept { return model_.needed_bytes(); }

  /// The alignment of its buffer: the largest that was asked for, 1 at least.
  [[nodiscard]] std::size_t needed_alignment() const noexcept { return model_.needed_alignment(); }

  /// Writes the declaration of that arena: `constinit allot::static_arena<1184, 8> log_arena;`
  /// \return the line, behind which a null character stands; empty where `text` is too short for both
  [[nodiscard]] std::string_view declaration(std::span<char> text, std::string_view variable = "arena") const noexcept {
    const std::size_t bytes = std::max<std::size_t>(needed_bytes(), 1); // there is no arena of no bytes
    detail::plain_line line{text};
    line.put("constinit allot::static_arena<").number(bytes).put(", ").number(needed_alignment()).put("> ");
    line.put(variable).put(";").put('\0');
    const std::string_view whole = line.text();
    if (whole.empty() || whole.back() != '\0') return {};
    return whole.substr(0, whole.size() - 1);
  }

  /// Requests that were served.
  [[nodiscard]] std::size_t requests() const noexcept { return last_; }

  /// Bytes of all blocks whose return frees nothing in an arena, or nothing in one of an unlucky size: they were not the
  /// last block, or lay behind padding or before the last mark. Only `rewind` and `reset` free these.
  [[nodiscard]] std::size_t lost_bytes() const noexcept { return lost_; }

  /// Bytes asked for and live now.
  [[nodiscard]] std::size_t used() const noexcept { return used_; }

  /// The most bytes asked for that were ever live at once. What `needed_bytes` has beyond it is padding and loss.
  [[nodiscard]] std::size_t high_water() const noexcept { return high_water_; }

  /// Blocks that are live now.
  [[nodiscard]] std::size_t live_blocks() const noexcept { return live_blocks_; }

  /// Bytes taken from upstream now.
  [[nodiscard]] std::size_t reserved() const noexcept { return reserved_; }

  /// The resource that the blocks come from; never null.
  [[nodiscard]] Upstream* upstream_resource() const noexcept { return &upstream_; }

  /// The name given at construction, or null.
  [[nodiscard]] const char* name() const noexcept { return name_; }

  /// Frees everything at once; every mark is void. What is needed so far stays.
  void reset() noexcept {
    give_back_after(0);
    model_.clear();
    floor_ = 0;
    marks_.clear();
  }

  /// Remembers the present state. Until `rewind`, no block from before is taken back by `deallocate`.
  [[nodiscard]] mark_type mark() noexcept {
    const mark_type here{model_.now(), number_of(newest_), last_, floor_, marks_.add()};
    floor_ = last_;
    return here;
  }

  /// Frees all that was allocated since `to` was made. It and the marks made after it are void then.
  /// \pre `to` is a mark of this resource and not void
  void rewind(const mark_type& to) noexcept {
    ALLOT_EXPECTS(marks_.admits(to.number_) && to.last_ <= last_);
    give_back_after(to.last_);
    model_.return_to(to.state_, number_of(newest_) == to.newest_);
    floor_ = to.floor_;
    marks_.remove(to.number_);
  }

  /// True where `m` is the last mark that is not void.
  [[nodiscard]] bool is_latest(const mark_type& m) const noexcept { return marks_.is_latest(m.number_); }

private:
  friend resource_interface<sizing_resource>;

  /// Lies right before the memory that the caller has.
  struct block {
    block* older; // of those that are live
    block* newer;
    layout asked;
    std::size_t number;    // the first block has 1
    std::size_t neighbour; // the newest live block when this one came, or 0
    typename model::seat seat;
  };

  static Upstream& dereferenced(Upstream* upstream) noexcept {
    ALLOT_EXPECTS(upstream != nullptr);
    return *upstream;
  }

  static std::size_t number_of(const block* b) noexcept { return b == nullptr ? 0 : b->number; }

  static block* block_of(void* p) noexcept {
    return std::launder(reinterpret_cast<block*>(static_cast<std::byte*>(p) - sizeof(block)));
  }

  /// Bytes from the start of upstream's block to the caller's.
  /// \pre `alignment <= MaxAlign`
  static std::size_t prefix_of(std::size_t alignment) noexcept {
    const std::size_t wide = std::max(alignment, alignof(block));
    return align_down(sizeof(block) + wide - 1, wide);
  }

  /// A whole number of its alignment: over an arena, blocks lie side by side and can be taken back.
  static layout upstream_layout(const layout& asked) noexcept {
    const std::size_t alignment = std::max(asked.alignment, alignof(block));
    return {align_down(prefix_of(alignment) + asked.bytes + alignment - 1, alignment), alignment};
  }

  /// Whether upstream is to be asked.
  [[nodiscard]] bool admits(std::size_t bytes, std::size_t alignment) const noexcept {
    return model_.has_room(bytes, alignment);
  }

  void* place(std::size_t bytes, std::size_t alignment) noexcept {
    if (!admits(bytes, alignment)) return nullptr;
    return record(detail::try_aligned_from(upstream_, upstream_layout({bytes, alignment})), {bytes, alignment});
  }

  void* place_or_fail(std::size_t bytes, std::size_t alignment) {
    if (!admits(bytes, alignment)) this->fail(bytes, alignment);
    void* const memory = detail::aligned_from(upstream_, upstream_layout({bytes, alignment}));
    if (memory == nullptr) this->fail(bytes, alignment);
    return record(memory, {bytes, alignment});
  }

  [[nodiscard]] failure refusal(std::size_t bytes, std::size_t alignment) const noexcept {
    const char* detail = "no arena can be that large";
    if (alignment > MaxAlign) {
      detail = "the alignment is above the MaxAlign of its books";
    } else if (admits(bytes, alignment)) {
      detail = "upstream gave a block that is not aligned as it was asked for";
    }
    return {
        .resource = class_name, .name = name_, .detail = detail, .bytes = bytes, .alignment = alignment, .used = used_};
  }

  /// Enters a block into the books.
  void* record(void* memory, const layout& asked) noexcept {
    if (memory == nullptr) return nullptr;
    auto* const p = static_cast<std::byte*>(memory) + prefix_of(asked.alignment);
    auto* const b = ::new (p - sizeof(block)) block{.older = newest_,
                                                    .newer = nullptr,
                                                    .asked = asked,
                                                    .number = ++last_,
                                                    .neighbour = number_of(newest_),
                                                    .seat = model_.place(asked.bytes, asked.alignment)};
    if (newest_ != nullptr) newest_->newer = b;
    newest_ = b;
    ++live_blocks_;
    used_ += asked.bytes;
    high_water_ = std::max(high_water_, used_);
    reserved_ += upstream_layout(asked).bytes;
    return p;
  }

  void give_back(void* p, [[maybe_unused]] std::size_t bytes, [[maybe_unused]] std::size_t alignment) noexcept {
    block* const b = block_of(p);
    ALLOT_EXPECTS((b->asked == layout{bytes, alignment}));
    // One from before the last mark need not be told to the model: the rewind looks whether it is still there.
    const bool taken_back =
        b == newest_ && b->number > floor_ && model_.take_back(b->seat, bytes, number_of(b->older) == b->neighbour);
    if (!taken_back) lost_ += bytes;
    remove(b);
  }

  void give_back_after(std::size_t number) noexcept {
    while (number_of(newest_) > number)
      remove(newest_);
  }

  /// Takes a block out of the list, and gives it to upstream.
  void remove(block* b) noexcept {
    (b->newer == nullptr ? newest_ : b->newer->older) = b->older;
    if (b->older != nullptr) b->older->newer = b->newer;
    const layout asked = b->asked;
    const layout whole = upstream_layout(asked);
    --live_blocks_;
    used_ -= asked.bytes;
    reserved_ -= whole.bytes;
    auto* const p = reinterpret_cast<std::byte*>(b) + sizeof(block);
    upstream_.deallocate(p - prefix_of(asked.alignment), whole.bytes, whole.alignment);
  }

  [[nodiscard]] ownership holds(const void* p) const noexcept { return owned_by(upstream_, p); }

  Upstream& upstream_;
  const char* name_;
  model model_;
  block* newest_ = nullptr;
  std::size_t last_ = 0;  // the number of the last block
  std::size_t floor_ = 0; // no block up to this number is taken back: the last one before the last mark
  detail::mark_order marks_;
  std::size_t lost_ = 0;
  std::size_t live_blocks_ = 0;
  std::size_t used_ = 0;
  std::size_t high_water_ = 0;
  std::size_t reserved_ = 0;
};

/// One over another is no copy.
template <std::derived_from<std::pmr::memory_resource> Upstream, std::size_t MaxAlign>
sizing_resource(sizing_resource<Upstream, MaxAlign>&) -> sizing_resource<sizing_resource<Upstream, MaxAlign>>;
template <std::derived_from<std::pmr::memory_resource> Upstream, std::size_t MaxAlign>
sizing_resource(sizing_resource<Upstream, MaxAlign>&, const char*)
    -> sizing_resource<sizing_resource<Upstream, MaxAlign>>;

} // namespace allot::inline ALLOT_ABI
