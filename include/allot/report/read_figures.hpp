#pragma once

#include <allot/core/config.hpp>
#include <allot/report/figures.hpp>

#include <algorithm>
#include <concepts>
#include <cstddef>
#include <type_traits>

namespace allot::inline ALLOT_ABI::report {

/// What a figure is read from; a member of another type is something else of that name.
template <class T>
concept size_figure = std::same_as<std::remove_cvref_t<T>, std::size_t>;

/// A record of figures such as `counting_snapshot`, `limit_snapshot` and `tag_snapshot`.
template <class T>
concept snapshot_type = requires(const T& s) {
  { s.live_bytes } -> size_figure;
}
|| requires(const T& s) {
  { s.used_bytes } -> size_figure;
};

/// True for a limit of blocks that was never set: without one a `limit_adaptor` does not count blocks, and says zero.
[[nodiscard]] constexpr bool counts_no_blocks(const figures& all) noexcept {
  using enum figure;
  const auto is = [&all](figure which, std::size_t value) { return all.has(which) && all[which] == value; };
  return is(limit_blocks, no_limit) && is(used_blocks, 0) && is(peak_blocks, 0);
}

/// The figures that the members of a snapshot stand for. What is left below a limit follows from the others, so that it
/// agrees with them.
template <class Snapshot>
[[nodiscard]] figures read_snapshot(const Snapshot& s) noexcept {
  using enum figure;
  figures all;
  if constexpr (requires {
                  { s.live_bytes } -> size_figure;
                })
    all.set(used_bytes, s.live_bytes);
  if constexpr (requires {
                  { s.used_bytes } -> size_figure;
                })
    all.set(used_bytes, s.used_bytes);
  if constexpr (requires {
                  { s.peak_bytes } -> size_figure;
                })
    all.set(peak_bytes, s.peak_bytes);
  if constexpr (requires {
                  { s.limit_bytes } -> size_figure;
                })
    all.set(limit_bytes, s.limit_bytes);
  if constexpr (requires {
                  { s.reserved_bytes } -> size_figure;
                })
    all.set(reserved_bytes, s.reserved_bytes);
  if constexpr (requires {
                  { s.live_blocks } -> size_figure;
                })
    all.set(used_blocks, s.live_blocks);
  if constexpr (requires {
                  { s.used_blocks } -> size_figure;
                })
    all.set(used_blocks, s.used_blocks);
  if constexpr (requires {
                  { s.peak_blocks } -> size_figure;
                })
    all.set(peak_blocks, s.peak_blocks);
  if constexpr (requires {
                  { s.limit_blocks } -> size_figure;
                })
    all.set(limit_blocks, s.limit_blocks);
  if constexpr (requires {
                  { s.largest_bytes } -> size_figure;
                })
    all.set(largest_block_bytes, s.largest_bytes);
  if constexpr (requires {
                  { s.total_bytes } -> size_figure;
                })
    all.set(allocated_bytes, s.total_bytes);
  if constexpr (requires {
                  { s.allocations } -> size_figure;
                })
    all.set(allocations, s.allocations);
  if constexpr (requires {
                  { s.deallocations } -> size_figure;
                })
    all.set(deallocations, s.deallocations);
  if constexpr (requires {
                  { s.failures } -> size_figure;
                })
    all.set(failures, s.failures);
  if constexpr (requires {
                  { s.refusals } -> size_figure;
                })
    all.set(refusals, s.refusals);
  if (all.has(limit_bytes) && all.has(used_bytes)) {
    const std::size_t limit = all[limit_bytes];
    all.set(headroom_bytes, limit == no_limit ? no_limit : limit - std::min(limit, all[used_bytes]));
  }
  if (counts_no_blocks(all)) {
    for (const figure which : {used_blocks, peak_blocks, limit_blocks})
      all.forget(which);
  }
  return all;
}

/// The figures that the queries of a layer give: its snapshot, taken once, and then what that leaves out.
template <class Layer>
[[nodiscard]] figures read_layer(const Layer& layer) noexcept {
  using enum figure;
  figures all;
  if constexpr (requires {
                  { layer.snapshot() } -> snapshot_type;
                })
    all = read_snapshot(layer.snapshot());
  const auto add = [&all](figure which, std::size_t value) {
    if (!all.has(which)) all.set(which, value);
  };
  if constexpr (requires {
                  { layer.used() } -> size_figure;
                })
    add(used_bytes, layer.used());
  if constexpr (requires {
                  { layer.live_bytes() } -> size_figure;
                })
    add(used_bytes, layer.live_bytes());
  if constexpr (requires {
                  { layer.peak() } -> size_figure;
                })
    add(peak_bytes, layer.peak());
  if constexpr (requires {
                  { layer.high_water() } -> size_figure;
                })
    add(peak_bytes, layer.high_water());
  if constexpr (requires {
                  { layer.limit() } -> size_figure;
                })
    add(limit_bytes, layer.limit());
  if constexpr (requires {
                  { layer.headroom() } -> size_figure;
                })
    add(headroom_bytes, layer.headroom());
  if constexpr (requires {
                  { layer.capacity() } -> size_figure;
                }) {
    if (!all.has(limit_bytes)) add(capacity_bytes, layer.capacity()); // of a budget the two are one
  }
  if constexpr (requires {
                  { layer.reserved() } -> size_figure;
                })
    add(reserved_bytes, layer.reserved());
  if constexpr (requires {
                  { layer.live_blocks() } -> size_figure;
                })
    add(used_blocks, layer.live_blocks());
  return all;
}

} // namespace allot::inline ALLOT_ABI::report
