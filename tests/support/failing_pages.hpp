#pragma once

#include <allot/detail/system_pages.hpp>

#include <cerrno>
#include <cstddef>
#include <limits>

namespace support {

/// Stands between the page resources and the system while it lives: counts the calls, and has those fail that a test names.
class failing_pages {
public:
  failing_pages() noexcept : real_{allot::detail::system_pages} {
    self = this;
    allot::detail::system_pages = {
        [](std::byte*& p, std::size_t n) noexcept { return self->called([&] { return self->real_.reserve(p, n); }); },
        [](std::byte* p, std::size_t n) noexcept {
          return self->unreserve_error != 0 ? self->unreserve_error
                                            : self->called([&] { return self->real_.unreserve(p, n); });
        },
        [](std::byte* p, std::size_t n) noexcept {
          return n > self->most_committed ? ENOMEM : self->called([&] { return self->real_.commit(p, n); });
        },
        [](std::byte* p, std::size_t n) noexcept {
          return self->vacate_error != 0 ? self->vacate_error : self->called([&] { return self->real_.vacate(p, n); });
        },
        [](std::byte* p, std::size_t n) noexcept {
          self->discarded += n;
          return self->discard_error != 0 ? self->discard_error
                                          : self->called([&] { return self->real_.discard(p, n); });
        },
        [](std::byte* p, std::size_t n) noexcept {
          return self->called([&] { return self->real_.prefer_huge(p, n); });
        }};
  }
  failing_pages(const failing_pages&) = delete;
  failing_pages& operator=(const failing_pages&) = delete;
  ~failing_pages() { allot::detail::system_pages = real_; }

  std::size_t calls = 0;
  std::size_t discarded = 0;         ///< bytes, in calls that failed, too
  std::size_t first_failure = never; ///< this call and all after it fail with ENOMEM; the first call is 1
  std::size_t most_committed = never;
  int unreserve_error = 0; ///< of every call, and it is not counted
  int discard_error = 0;
  int vacate_error = 0;

  static constexpr std::size_t never = std::numeric_limits<std::size_t>::max();

private:
  template <class F>
  int called(F f) noexcept {
    return ++calls >= first_failure ? ENOMEM : f();
  }

  static inline failing_pages* self = nullptr;
  allot::detail::page_calls real_;
};

} // namespace support
