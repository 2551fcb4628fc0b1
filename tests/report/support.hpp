#pragma once

#include <allot/report/result.hpp>

#include <doctest/doctest.h>

#include <algorithm>
#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace support {

/// What `write(std::span<char>)` writes into a buffer that is large enough.
template <class Write>
std::string whole(Write write) {
  std::vector<char> buffer(1 << 20);
  const allot::report::result done = write(std::span{buffer});
  REQUIRE(!done.truncated());
  return {buffer.data(), done.written};
}

/// Writes into a buffer of every size from nothing to a little more than is needed. Each output is a prefix of the whole
/// one, of whole lines, and as many as fit; what is needed is always the same, and nothing is written past the end.
template <class Write>
void check_every_truncation(Write write) {
  const std::string all = whole(write);
  REQUIRE(all.ends_with('\n'));
  std::vector<char> buffer(all.size() + 8);
  std::size_t wrong = 0;
  for (std::size_t size = 0; size <= all.size() + 4; ++size) {
    std::fill(buffer.begin(), buffer.end(), '\x7e');
    const allot::report::result done = write(std::span{buffer}.first(size));
    const std::size_t fits = size >= all.size() ? all.size() : size == 0 ? 0 : all.rfind('\n', size - 1) + 1;
    const bool is_right = done.needed == all.size() && done.written == fits &&
                          done.truncated() == (size < all.size()) &&
                          std::string_view(buffer.data(), done.written) == std::string_view(all).substr(0, fits) &&
                          std::all_of(buffer.begin() + static_cast<std::ptrdiff_t>(size), buffer.end(),
                                      [](char c) { return c == '\x7e'; });
    wrong += !is_right;
  }
  CHECK(wrong == 0);
}

} // namespace support
