#pragma once

#include <allot/core/config.hpp>

#include <cstddef>

namespace allot::inline ALLOT_ABI::detail {

/// What can be done with pages of memory, a system call each. Every function takes whole pages and gives 0, or the
/// system's error number and has changed nothing.
///
///     reserve -> addresses, inaccessible -> commit -> accessible, memory at the first touch -> unreserve
///                                       <- vacate <-                   | ^
///                                                               discard: no memory
struct page_calls {
  int (*reserve)(std::byte*& begin, std::size_t bytes) noexcept;  ///< addresses that nothing else gets; inaccessible
  int (*unreserve)(std::byte* begin, std::size_t bytes) noexcept; ///< gives addresses and memory back
  int (*commit)(std::byte* begin, std::size_t bytes) noexcept;    ///< makes pages accessible
  int (*vacate)(std::byte* begin, std::size_t bytes) noexcept;    ///< makes them as if they were only reserved
  int (*discard)(std::byte* begin, std::size_t bytes) noexcept;   ///< gives their memory back; they read as zeros then
  int (*prefer_huge)(std::byte* begin, std::size_t bytes) noexcept; ///< asks for huge pages
};

/// The system's own calls. A pointer to each, since a test has to make one fail: beside a system call an indirect one
/// costs nothing. Nobody else writes to it. Where there is no such system it is not defined, and a program that uses
/// `page_resource` or `guard_page_resource` does not link.
extern page_calls system_pages;

/// Bytes of a page; a power of two.
[[nodiscard]] std::size_t page_size() noexcept;

/// Bytes of a huge page that an ordinary mapping can have; 0 where there are none or the system does not say.
[[nodiscard]] std::size_t huge_page_size() noexcept;

} // namespace allot::inline ALLOT_ABI::detail
