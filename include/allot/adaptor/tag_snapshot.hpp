#pragma once

#include <allot/adaptor/counting_snapshot.hpp>

#include <array>
#include <cstddef>
#include <string_view>

namespace allot::inline ALLOT_ABI {

/// The figures of one tag at one moment: those of a `counting_adaptor` (bytes as they were asked for), and what was taken
/// from upstream for it.
struct tag_snapshot : counting_snapshot {
  const char* tag = "";           ///< the text of the tag; of static storage, as `tag_name` has it
  std::size_t reserved_bytes = 0; ///< live, with the prefixes in which the tag lies

  friend bool operator==(const tag_snapshot&, const tag_snapshot&) noexcept = default;
};

/// What `tag_adaptor::tags` gives: a row for each tag that memory was asked for under. The first one is "(untagged)" and
/// the last one "(other)", which are always there; those in between are in the order of their texts.
template <std::size_t MostRows>
struct tag_table {
  std::array<tag_snapshot, MostRows> rows{}; ///< the first `count` are in use
  std::size_t count = 0;                     ///< of rows in use

  /// The rows in use, for a range-based loop.
  [[nodiscard]] const tag_snapshot* begin() const noexcept { return rows.data(); }
  [[nodiscard]] const tag_snapshot* end() const noexcept { return rows.data() + count; }

  /// As `count`.
  [[nodiscard]] std::size_t size() const noexcept { return count; }

  /// The row of a tag, or null. It is in this table: `if (const auto* parse = table.find("parse"))`.
  [[nodiscard]] const tag_snapshot* find(std::string_view tag) const& noexcept {
    for (const tag_snapshot& row : *this) {
      if (row.tag == tag) return &row;
    }
    return nullptr;
  }
  const tag_snapshot* find(std::string_view tag) const&& = delete; // it would point into a table that is gone
};

} // namespace allot::inline ALLOT_ABI
