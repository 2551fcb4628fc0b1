#pragma once

#include <cstddef>
#include <cstdint>
#include <memory_resource>
#include <string>
#include <string_view>

#include <boost/json/error.hpp>
#include <boost/json/storage_ptr.hpp>

namespace service {

inline constexpr std::size_t default_top = 10;
inline constexpr std::size_t most_top = 1000;
inline constexpr std::size_t deepest_document = 32; ///< arrays and objects inside of each other

/// What became of a document.
struct words_answer {
  std::pmr::string json;         ///< `{"words":[{"word":"the","count":2}],"distinct":1,"total":2}`
  boost::json::error_code error; ///< where it is no JSON; then `json` is empty
  std::size_t parsed = 0;        ///< bytes before the error
};

/// The `top` most frequent words of a JSON document, by count and then by the order of their bytes.
///
/// The document's strings are searched at any depth; the names of an object's members are not text and are not counted. A
/// word is a run of ASCII letters, ASCII digits and characters beyond ASCII; ASCII letters are counted in lower case.
///
/// Every byte that it needs comes from `memory`, and from `storage` for Boost.JSON: the same function serves over an arena
/// and over plain new.
/// \throws std::bad_alloc or what derives from it, where the memory does
[[nodiscard]] words_answer count_words(std::string_view document, std::size_t top, std::pmr::memory_resource& memory,
                                       const boost::json::storage_ptr& storage);

} // namespace service
