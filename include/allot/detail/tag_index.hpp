#pragma once

#include <allot/core/atomic.hpp>
#include <allot/core/tag.hpp>

#include <array>
#include <atomic>
#include <cstddef>
#include <cstring>

namespace allot::inline ALLOT_ABI::detail {

/// Numbers for up to `N` tags: the same one for each name of the same text. Open addressing, and nothing is ever taken
/// out: all who look for one text pass the same places in the same order, so that two who bring it at once meet at the
/// first free one.
///
/// Threads: any thread and interrupt handlers, lock-free.
template <std::size_t N>
class tag_index {
  static_assert(N > 0);

public:
  static constexpr std::size_t untagged = 0; ///< no tag
  static constexpr std::size_t other = 1;    ///< the tags that found no place
  static constexpr std::size_t first = 2;    ///< of the others
  static constexpr std::size_t size = N + first;

  static constexpr const char* untagged_text = "(untagged)";
  static constexpr const char* other_text = "(other)";

  /// The number of a tag, below `size`; it takes one where it has none yet.
  [[nodiscard]] std::size_t number_of(tag_name tag) noexcept {
    if (tag.text() == nullptr) return untagged;
    const std::size_t start = tag.hash() % N;
    if (texts_[start].load(std::memory_order_acquire) == tag.text()) [[likely]]
      return first + start;
    return search(tag.text(), start);
  }

  /// The text of a number; null where nobody has taken it.
  [[nodiscard]] const char* text_of(std::size_t number) const noexcept {
    if (number == untagged) return untagged_text;
    if (number == other) return other_text;
    return texts_[number - first].load(std::memory_order_acquire);
  }

private:
  [[nodiscard, gnu::noinline]] std::size_t search(const char* text, std::size_t start) noexcept {
    if (std::strcmp(text, untagged_text) == 0) return untagged;
    if (std::strcmp(text, other_text) == 0) return other;
    for (std::size_t i = 0, at = start; i < N; ++i, at = at + 1 == N ? 0 : at + 1) {
      const char* seen = texts_[at].load(std::memory_order_acquire);
      // Release and acquire: a configured text is read by threads that nothing else orders behind its making.
      if (seen == nullptr && texts_[at].compare_exchange_strong(seen, text, std::memory_order_acq_rel))
        return first + at;
      if (seen == text || std::strcmp(seen, text) == 0) return first + at;
    }
    return other;
  }

  std::array<atomic<const char*>, N> texts_{}; // null, then a text for good
};

} // namespace allot::inline ALLOT_ABI::detail
