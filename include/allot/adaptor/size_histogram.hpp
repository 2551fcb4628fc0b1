#pragma once

#include <allot/core/config.hpp>

#include <array>
#include <bit>
#include <concepts>
#include <cstddef>
#include <limits>

namespace allot::inline ALLOT_ABI {

/// How many blocks were given out of each size, by powers of two: bucket k counts the sizes up to 2^k that are above
/// 2^(k-1). Bucket 0 counts sizes 0 and 1, bucket 6 counts 33 to 64. The last bucket has no upper bound.
struct size_histogram {
  /// How many buckets there are: enough for every size.
  static constexpr std::size_t buckets = std::numeric_limits<std::size_t>::digits + 1;

  std::array<std::size_t, buckets> counts{}; ///< blocks given out, by bucket

  /// The bucket that a size belongs to.
  [[nodiscard]] static constexpr std::size_t bucket_of(std::size_t bytes) noexcept {
    return static_cast<std::size_t>(std::bit_width(bytes - (bytes != 0)));
  }

  /// The largest size that bucket `k` counts. \pre `k < buckets`
  [[nodiscard]] static constexpr std::size_t upper_bound(std::size_t k) noexcept {
    return k + 1 < buckets ? std::size_t{1} << k : std::numeric_limits<std::size_t>::max();
  }

  friend bool operator==(const size_histogram&, const size_histogram&) noexcept = default;

  /// What was given out in between. \pre both are of the same adaptor
  [[nodiscard]] friend constexpr size_histogram operator-(const size_histogram& later,
                                                          const size_histogram& earlier) noexcept {
    size_histogram difference;
    for (std::size_t k = 0; k < buckets; ++k)
      difference.counts[k] = later.counts[k] - earlier.counts[k];
    return difference;
  }
};

/// A policy that `with_histogram` can count sizes for: its `tally` is a counter that starts at zero.
template <class Counters>
concept has_tally = requires(typename Counters::tally& tally, const typename Counters::tally& read_only) {
  requires std::default_initializable<typename Counters::tally>;
  requires std::same_as<decltype(read_only.read()), std::size_t>;
  requires noexcept(tally.increment(), read_only.read());
};

/// The counters of another policy, and a `size_histogram` beside them:
/// `allot::counting_adaptor counted{arena, allot::with_histogram{allot::shared_counters}};`
///
/// Costs: one increment for an allocation and `size_histogram::buckets` words, on top of the other policy's.
/// Threads: as the other policy.
template <has_tally Counters>
struct with_histogram {
  /// Named by the policy's value, which says all there is to say.
  explicit constexpr with_histogram(Counters) noexcept {}

  class ledger : public Counters::ledger {
  public:
    void allocated(std::size_t bytes) noexcept {
      Counters::ledger::allocated(bytes);
      sizes_[size_histogram::bucket_of(bytes)].increment();
    }

    /// Blocks given out so far, by size.
    [[nodiscard]] size_histogram histogram() const noexcept {
      size_histogram sizes;
      for (std::size_t k = 0; k < sizes_.size(); ++k)
        sizes.counts[k] = sizes_[k].read();
      return sizes;
    }

  private:
    std::array<typename Counters::tally, size_histogram::buckets> sizes_;
  };
};

} // namespace allot::inline ALLOT_ABI
