#pragma once

#include <allot/construct/default_resource_guard.hpp>
#include <allot/core/atomic.hpp>
#include <allot/core/failure.hpp>

#include <cstddef>
#include <memory_resource>
#include <new>

namespace allot::inline ALLOT_ABI {

/// What `no_default_resource_guard` does when memory is asked of the default resource.
enum class default_use : unsigned char {
  halt,  ///< gives a record to the failure handler and ends the program
  count, ///< counts it, and serves it from `std::pmr::new_delete_resource()`
};

namespace detail {

/// The default resource under a `no_default_resource_guard`. There is one for the whole program, which is never
/// destroyed and always serves from the same place: a container keeps the resource that was the default when it was made,
/// and may ask for memory, or give some back, when the guard is long gone.
class default_trap final : public std::pmr::memory_resource {
public:
  [[nodiscard]] static default_trap& instance() noexcept {
    alignas(default_trap) static std::byte storage[sizeof(default_trap)];
    static default_trap* const built = ::new (storage) default_trap;
    return *built;
  }

  [[nodiscard]] bool is_halting() const noexcept { return halting_.load(); }
  void set_halting(bool on) noexcept { halting_.store(on); }

  /// Requests ever, whether a guard was there or not.
  [[nodiscard]] std::size_t requests() const noexcept { return requests_.load(); }
  [[nodiscard]] std::size_t bytes() const noexcept { return bytes_.load(); }

private:
  default_trap() = default;

  void* do_allocate(std::size_t bytes, std::size_t alignment) override {
    if (halting_.load()) {
      halt({.resource = "no_default_resource_guard",
            .detail = "memory was asked of the default resource",
            .bytes = bytes,
            .alignment = alignment});
    }
    requests_.fetch_add(1);
    bytes_.fetch_add(bytes);
    return std::pmr::new_delete_resource()->allocate(bytes, alignment);
  }

  void do_deallocate(void* p, std::size_t bytes, std::size_t alignment) override {
    std::pmr::new_delete_resource()->deallocate(p, bytes, alignment);
  }

  [[nodiscard]] bool do_is_equal(const std::pmr::memory_resource& other) const noexcept override {
    return this == &other;
  }

  detail::atomic<bool> halting_{false};
  detail::atomic<std::size_t> requests_{0};
  detail::atomic<std::size_t> bytes_{0};
};

} // namespace detail

/// Proves that nothing takes memory from the default resource of `std::pmr` by accident, from here to the end of the
/// block: a container made without its allocator, a copy of a pmr container, an element that nobody handed it to.
///
/// Guarantees
/// - With `default_use::halt` the first request ends the program, with its size in the record.
/// - With `default_use::count` it is served by `std::pmr::new_delete_resource()`, whatever the default was before.
/// - Containers made under the guard, and their blocks, may outlive it: new memory then comes from the same place.
///   (Under a later guard that is a request again.)
/// - Inside of a guard that halts, one that counts halts too.
///
/// Threads: any thread may allocate meanwhile. The default resource is one for the whole program: a guard changes it for
/// every thread, and guards of several threads do not nest.
///
/// \snippet tests/construct/no_default_resource_guard_test.cpp example
class [[nodiscard]] no_default_resource_guard {
public:
  /// From here on a request to the default resource halts the program, or is counted.
  explicit no_default_resource_guard(default_use on_use = default_use::halt) noexcept
      : guard_{trap_}, halting_before_{trap_.is_halting()} {
    const bool inside_of_halting = halting_before_ && guard_.previous() == &trap_;
    trap_.set_halting(on_use == default_use::halt || inside_of_halting);
  }

  no_default_resource_guard(const no_default_resource_guard&) = delete;
  no_default_resource_guard& operator=(const no_default_resource_guard&) = delete;
  ~no_default_resource_guard() { trap_.set_halting(halting_before_); }

  /// Requests that reached the default resource.
  [[nodiscard]] std::size_t allocations() const noexcept { return trap_.requests() - requests_before_; }

  /// The bytes that they asked for.
  [[nodiscard]] std::size_t bytes() const noexcept { return trap_.bytes() - bytes_before_; }

private:
  detail::default_trap& trap_ = detail::default_trap::instance();
  std::size_t requests_before_ = trap_.requests();
  std::size_t bytes_before_ = trap_.bytes();
  default_resource_guard guard_;
  bool halting_before_;
};

} // namespace allot::inline ALLOT_ABI
