#pragma once

#include <allot/report/result.hpp>

#include "support/room.hpp"

#include <doctest/doctest.h>

#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace support {

/// What `write(std::span<char>)` writes into a buffer that is large enough.
template <class Write>
std::string whole(Write write) {
  std::vector<char> buffer(support::room(1 << 20));
  const allot::report::result done = write(std::span{buffer});
  REQUIRE(!done.truncated());
  return {buffer.data(), done.written};
}

/// Sizes of a buffer for `all`, from nothing to a little more than is needed: each one near the end of a line, and where
/// `all` is long every 37th of the others, which are alike.
inline std::vector<std::size_t> sizes_to_try(const std::string& all) {
  constexpr std::size_t near = 2;
  std::vector<std::size_t> sizes;
  for (std::size_t size = 0; size <= all.size() + near; ++size) {
    const std::size_t before = size < near ? 0 : size - near;
    const bool is_near = all.substr(before, 2 * near).find('\n') != std::string::npos;
    if (all.size() < 1000 || is_near || size % 37 == 0) sizes.push_back(size);
  }
  return sizes;
}

/// Writes into buffers of those sizes. Each output is a prefix of the whole one, of whole lines, and as many as fit; what
/// is needed is always the same, and nothing is written past the end.
template <class Write>
void check_every_truncation(Write write) {
  const std::string all = whole(write);
  REQUIRE(all.ends_with('\n'));
  const std::string untouched(all.size() + 8, '\x7e');
  std::string buffer;
  std::size_t wrong = 0;
  for (const std::size_t size : sizes_to_try(all)) {
    buffer = untouched;
    const allot::report::result done = write(std::span{buffer}.first(size));
    const std::size_t fits = size >= all.size() ? all.size() : size == 0 ? 0 : all.rfind('\n', size - 1) + 1;
    const bool is_right = done.needed == all.size() && done.written == fits &&
                          done.truncated() == (size < all.size()) &&
                          std::string_view(buffer.data(), done.written) == std::string_view(all).substr(0, fits) &&
                          std::string_view(buffer).substr(size) == std::string_view(untouched).substr(size);
    wrong += !is_right;
  }
  CHECK(wrong == 0);
}

} // namespace support
