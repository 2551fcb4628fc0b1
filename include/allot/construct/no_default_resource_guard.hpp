#pragma once

#include <allot/construct/default_resource_guard.hpp>
#include <allot/core/expects.hpp>
#include <allot/core/failure.hpp>

#include <atomic>
#include <cstddef>
#include <memory_resource>

namespace allot::inline ALLOT_ABI {

/// What `no_default_resource_guard` does when memory is asked of the default resource.
enum class default_use : unsigned char {
  halt,  ///< gives a record to the failure handler and ends the program
  count, ///< counts it, and serves it from the default before
};

/// Proves that nothing takes memory from the default resource of `std::pmr` by accident, from here to the end of the
/// block: a container made without its allocator, a copy of a pmr container, an element that nobody handed it to.
///
/// Guarantees
/// - With `default_use::halt` the first request ends the program, with its size in the record.
/// - With `default_use::count` the program goes on as if the guard were not there.
///
/// Threads: any thread may allocate meanwhile. The default resource is one for the whole program: a guard changes it for
/// every thread, and guards of several threads do not nest.
///
/// \snippet tests/construct/no_default_resource_guard_test.cpp example
class [[nodiscard]] no_default_resource_guard {
public:
  explicit no_default_resource_guard(default_use on_use = default_use::halt) noexcept : trap_{on_use} {}

  no_default_resource_guard(const no_default_resource_guard&) = delete;
  no_default_resource_guard& operator=(const no_default_resource_guard&) = delete;

  /// \pre every block counted is back: what outlives the guard would go back to a resource that is gone
  ~no_default_resource_guard() { ALLOT_EXPECTS(trap_.live_ == 0); }

  /// Requests that reached the default resource.
  [[nodiscard]] std::size_t allocations() const noexcept { return trap_.allocations_; }

  /// The bytes that they asked for.
  [[nodiscard]] std::size_t bytes() const noexcept { return trap_.bytes_; }

private:
  class trap final : public std::pmr::memory_resource {
    friend no_default_resource_guard;

  public:
    explicit trap(default_use on_use) noexcept : on_use_{on_use} {}

  private:
    void* do_allocate(std::size_t bytes, std::size_t alignment) override {
      if (on_use_ == default_use::halt) {
        halt({.resource = "no_default_resource_guard",
              .detail = "memory was asked of the default resource",
              .bytes = bytes,
              .alignment = alignment});
      }
      ++allocations_;
      bytes_ += bytes;
      void* const p = upstream_->allocate(bytes, alignment);
      ++live_;
      return p;
    }

    void do_deallocate(void* p, std::size_t bytes, std::size_t alignment) override {
      --live_;
      upstream_->deallocate(p, bytes, alignment);
    }

    [[nodiscard]] bool do_is_equal(const std::pmr::memory_resource& other) const noexcept override {
      return this == &other;
    }

    default_use on_use_;
    std::pmr::memory_resource* upstream_ = std::pmr::get_default_resource();
    std::atomic<std::size_t> allocations_{0};
    std::atomic<std::size_t> bytes_{0};
    std::atomic<std::size_t> live_{0};
  };

  trap trap_;
  default_resource_guard guard_{trap_};
};

} // namespace allot::inline ALLOT_ABI
