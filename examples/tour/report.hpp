#pragma once

#include "contest.hpp"
#include "words.hpp"

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace tour {

/// `1234567` as "1,234,567".
[[nodiscard]] std::string grouped(std::uint64_t n);

/// `text` for a terminal of any kind: invalid UTF-8 and control characters escaped, cut to `columns` characters, and then "..." on top.
[[nodiscard]] std::string printable(std::string_view text, std::size_t columns);

/// The most frequent words, most frequent first, ties in the order of the alphabet.
void print_words(const word_counts& counts);

/// One row a contender; what could not be measured says n/a.
void print_table(const std::vector<contender>& rows);

} // namespace tour
