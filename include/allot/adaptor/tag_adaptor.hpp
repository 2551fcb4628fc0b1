#pragma once

#include <allot/adaptor/shared_counters.hpp>
#include <allot/adaptor/tag_snapshot.hpp>
#include <allot/core/adaptor_interface.hpp>
#include <allot/core/atomic.hpp>
#include <allot/core/layout.hpp>
#include <allot/core/tag.hpp>
#include <allot/detail/tag_index.hpp>

#include <algorithm>
#include <array>
#include <atomic>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory_resource>
#include <optional>

namespace allot::inline ALLOT_ABI {

/// How many tags a `tag_adaptor` has rows for: `allot::max_tags<64>`.
template <std::size_t N>
struct max_tags_t {
  static constexpr std::size_t value = N; ///< the number of rows
};

/// Says it by a value: `allot::tag_adaptor tagged{arena, allot::max_tags<64>};`
template <std::size_t N>
inline constexpr max_tags_t<N> max_tags{};

/// A `max_tags_t`.
template <class T>
concept tag_capacity = requires {
  requires std::same_as<T, max_tags_t<T::value>>;
};

/// Attributes memory to the `tag_scope` in which it was asked for: what is live, the most that ever was, and totals, for
/// each tag.
///
///     upstream's block  |  ... tag | the caller's block       |
///                       |<-prefix->|<-bytes, at least 1------>|    prefix = max(alignment, 4)
///
/// Guarantees
/// - A block is counted for the tag under which it was allocated, whichever thread gives it back, and whenever.
/// - The figures of a tag are those of `shared_counters`: exact at rest, peaks exact in the order of updates.
/// - Tags beyond the capacity are counted as "(other)", memory without a tag as "(untagged)": the sum is always right.
/// - A failure counts as one of its tag, and changes nothing else.
///
/// The prefix is in `reserved()` and in no other figure. Upstream's blocks are larger than the caller's and their
/// addresses others: a layer below sees those.
///
/// Costs: a load and a compare to find the tag, and the atomic updates of `shared_counters` with one more for `reserved`.
/// A name of the same text at another address is found by comparing texts; a tag beyond the capacity by a look at every
/// row. 136 bytes for each tag of the capacity.
/// Threads: any thread as far as upstream allows it, and interrupt handlers; lock-free.
///
/// \snippet tests/adaptor/tag_adaptor_test.cpp example
template <class Upstream = std::pmr::memory_resource, tag_capacity MaxTags = max_tags_t<32>>
class tag_adaptor final : public adaptor_interface<tag_adaptor<Upstream, MaxTags>, Upstream> {
  using base = adaptor_interface<tag_adaptor, Upstream>;
  using index = detail::tag_index<MaxTags::value>;

public:
  static constexpr const char* class_name = "tag_adaptor";

  /// What `tags` gives.
  using table = tag_table<index::size>;

  /// \param upstream  outlives the adaptor
  /// \param name      for reports; static storage
  explicit tag_adaptor(Upstream& upstream, const char* name = nullptr) noexcept : base{upstream, name} {}

  /// The same, with the capacity named by a value.
  tag_adaptor(Upstream& upstream, MaxTags, const char* name = nullptr) noexcept : base{upstream, name} {}

  /// The figures of every tag, exact at rest. Allocates nothing; a table is larger than a few kilobytes.
  [[nodiscard]] table tags() const noexcept {
    table all;
    all.rows[all.count++] = row(index::untagged);
    for (std::size_t n = index::first; n < index::size; ++n) {
      if (index_.text_of(n) != nullptr) insert(all, row(n));
    }
    all.rows[all.count++] = row(index::other);
    return all;
  }

  /// Bytes live now, of all tags.
  [[nodiscard]] std::size_t used() const noexcept {
    std::size_t sum = 0;
    for (const account& tag : accounts_)
      sum += tag.live_bytes();
    return sum;
  }

  /// Bytes taken from upstream and not given back: what is live, and the prefixes.
  [[nodiscard]] std::size_t reserved() const noexcept {
    std::size_t sum = 0;
    for (const account& tag : accounts_)
      sum += tag.reserved_bytes();
    return sum;
  }

private:
  friend resource_interface<tag_adaptor>;

  /// The number of the tag, in the last bytes of a prefix. What was overwritten, or is no block, is hardly one of these.
  using mark = std::uint32_t;
  static constexpr mark first_mark = 0xA1107A60;

  class account : public shared_counters_t::ledger {
  public:
    void allocated(std::size_t bytes, std::size_t reserved) noexcept {
      reserved_.fetch_add(reserved, std::memory_order_relaxed);
      ledger::allocated(bytes);
    }
    void deallocating(std::size_t bytes, std::size_t reserved) noexcept {
      ledger::deallocating(bytes);
      reserved_.fetch_sub(reserved, std::memory_order_relaxed);
    }
    [[nodiscard]] std::size_t reserved_bytes() const noexcept { return reserved_.load(std::memory_order_relaxed); }

  private:
    using ledger = shared_counters_t::ledger;
    detail::atomic<std::size_t> reserved_{0};
  };

  /// Counts a failure on the way out, by whatever exception, unless upstream delivered.
  class failure_guard {
  public:
    explicit failure_guard(account& tag) noexcept : tag_{&tag} {}
    failure_guard(const failure_guard&) = delete;
    failure_guard& operator=(const failure_guard&) = delete;
    ~failure_guard() {
      if (tag_ != nullptr) tag_->failed();
    }
    void disarm() noexcept { tag_ = nullptr; }

  private:
    account* tag_;
  };

  /// A multiple of `alignment`, so that the caller's block is as aligned as upstream's.
  static std::size_t prefix(std::size_t alignment) noexcept { return std::max(alignment, sizeof(mark)); }

  /// What follows the prefix. At least one byte: a block of none at the end of upstream's memory would lie outside of it.
  static std::size_t behind_prefix(std::size_t bytes) noexcept { return std::max<std::size_t>(bytes, 1); }

  /// What is asked of upstream, or nothing where that is no size.
  static std::optional<std::size_t> with_prefix(std::size_t bytes, std::size_t alignment) noexcept {
    return checked_add(prefix(alignment), behind_prefix(bytes));
  }

  void* place_or_fail(std::size_t bytes, std::size_t alignment) {
    const std::size_t tag = index_.number_of(current_tag());
    failure_guard guard{accounts_[tag]};
    const auto reserved = with_prefix(bytes, alignment);
    if (!reserved) [[unlikely]]
      this->fail(bytes, alignment);
    void* const block = this->upstream_resource()->allocate(*reserved, alignment);
    guard.disarm();
    return tagged(block, tag, bytes, alignment, *reserved);
  }

  void* place(std::size_t bytes, std::size_t alignment) noexcept {
    const std::size_t tag = index_.number_of(current_tag());
    const auto reserved = with_prefix(bytes, alignment);
    void* const block = reserved ? try_allocate_from(*this->upstream_resource(), *reserved, alignment) : nullptr;
    if (block == nullptr) {
      accounts_[tag].failed();
      return nullptr;
    }
    return tagged(block, tag, bytes, alignment, *reserved);
  }

  void give_back(void* p, std::size_t bytes, std::size_t alignment) noexcept {
    std::byte* const block = static_cast<std::byte*>(p) - prefix(alignment);
    const std::size_t reserved = prefix(alignment) + behind_prefix(bytes);
    accounts_[tag_of(p)].deallocating(bytes, reserved);
    this->upstream_resource()->deallocate(block, reserved, alignment);
  }

  void* tagged(void* block, std::size_t tag, std::size_t bytes, std::size_t alignment, std::size_t reserved) noexcept {
    std::byte* const p = static_cast<std::byte*>(block) + prefix(alignment);
    const mark written = first_mark + static_cast<mark>(tag);
    std::memcpy(p - sizeof written, &written, sizeof written); // as `alignment` has it, it may not be aligned
    accounts_[tag].allocated(bytes, reserved);
    return p;
  }

  static std::size_t tag_of(const void* p) noexcept {
    mark found;
    std::memcpy(&found, static_cast<const std::byte*>(p) - sizeof found, sizeof found);
    const mark number_of_a_tag = found - first_mark;
    ALLOT_EXPECTS(number_of_a_tag < index::size); // else not a block of this adaptor, or overwritten in front
    return number_of_a_tag;
  }

  /// Puts a row behind those whose texts come before its own. No `std::sort` of all: g++ 12 warns of its inlined body where
  /// a table has fewer than 16 rows.
  static void insert(table& all, const tag_snapshot& tag) noexcept {
    std::size_t at = all.count++;
    for (; at > 1 && std::strcmp(tag.tag, all.rows[at - 1].tag) < 0; --at)
      all.rows[at] = all.rows[at - 1];
    all.rows[at] = tag;
  }

  [[nodiscard]] tag_snapshot row(std::size_t number) const noexcept {
    const account& tag = accounts_[number];
    return {tag.read(), index_.text_of(number), tag.reserved_bytes()};
  }

  index index_;
  std::array<account, index::size> accounts_;
};

/// A tag_adaptor over a tag_adaptor is one over the other, and no copy.
template <class Upstream, tag_capacity MaxTags>
tag_adaptor(tag_adaptor<Upstream, MaxTags>&) -> tag_adaptor<tag_adaptor<Upstream, MaxTags>>;
template <class Upstream, tag_capacity MaxTags>
tag_adaptor(tag_adaptor<Upstream, MaxTags>&, const char*) -> tag_adaptor<tag_adaptor<Upstream, MaxTags>>;

} // namespace allot::inline ALLOT_ABI
