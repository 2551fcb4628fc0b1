#pragma once

#include <allot/core/expects.hpp>
#include <allot/core/failure.hpp>
#include <allot/core/layout.hpp>
#include <allot/core/resource.hpp>

#include <cstddef>
#include <new>

namespace allot::inline ALLOT_ABI {

/// Writes a resource from its hooks: `class mine final : public resource_interface<mine>`, in the manner of
/// `std::ranges::view_interface`.
///
/// The hooks are private members of `Derived`, which names this class as a friend:
///
///     static constexpr const char* class_name = "mine";
///     void* place(std::size_t bytes, std::size_t alignment) noexcept;            // null: cannot
///     void give_back(void* p, std::size_t bytes, std::size_t alignment) noexcept; // p is not null
///
/// and, where they have something to say,
///
///     void* place_or_fail(std::size_t bytes, std::size_t alignment);  // never null; raises on its own
///     failure refusal(std::size_t bytes, std::size_t alignment) const noexcept; // the record of a failure
///     ownership holds(const void* p) const noexcept;                  // without it: unknown
///
/// `class_name` is public. A public `name()`, `used()` and `capacity()` of `Derived` go into the record of a failure.
///
/// Guarantees
/// - A call on the concrete type is a plain member call: no virtual call, inlined where the hooks are.
/// - The hooks bear other names than the functions made from them: a hook that is forgotten, or has another signature
///   than it should, is a compile error.
///
/// Costs: nothing beyond the hooks.
template <class Derived>
class resource_interface : public resource {
public:
  /// A block of at least `bytes` bytes at a multiple of `alignment`; never null. Zero bytes give a block of its own.
  /// \pre `alignment` is a power of two
  /// \throws out_of_memory or what derives from it; without exceptions the failure handler is called and does not return
  [[nodiscard, gnu::returns_nonnull]] void* allocate(std::size_t bytes,
                                                     std::size_t alignment = alignof(std::max_align_t)) {
    ALLOT_EXPECTS(is_alignment(alignment));
    void* const p = placed(bytes, alignment);
    return ::operator new(bytes, p); // this form of new starts implicit lifetimes and does no more
  }

  /// The same block, or null where `allocate` would fail.
  /// \pre `alignment` is a power of two
  [[nodiscard]] void* try_allocate(std::size_t bytes, std::size_t alignment = alignof(std::max_align_t)) noexcept {
    ALLOT_EXPECTS(is_alignment(alignment));
    void* const p = self().place(bytes, alignment);
    return p == nullptr ? nullptr : ::operator new(bytes, p);
  }

  /// Takes a block back; null is ignored.
  /// \pre `p` came from this resource for the same `bytes` and `alignment`, and is still allocated
  void deallocate(void* p, std::size_t bytes, std::size_t alignment = alignof(std::max_align_t)) noexcept {
    ALLOT_EXPECTS(is_alignment(alignment));
    if (p != nullptr) self().give_back(p, bytes, alignment);
  }

  /// Whether `p` points into this resource's memory: a range test, not a test of liveness.
  [[nodiscard]] ownership owns([[maybe_unused]] const void* p) const noexcept {
    // Found by its name, so that a wrong signature is an error; an overloaded name is found by the call.
    if constexpr (
        requires { &Derived::holds; } || requires { self().holds(p); }) {
      return self().holds(p);
    } else {
      return ownership::unknown;
    }
  }

protected:
  resource_interface() = default;
  [[gnu::always_inline]] ~resource_interface() override = default; // nobody calls it but a derived class's

  /// Fails with the record of this resource; for a `place_or_fail` that found no room. The record is `refusal` where the
  /// class writes its own, else its name and what its queries say.
  [[noreturn, gnu::noinline, gnu::cold]] void fail(std::size_t bytes, std::size_t alignment) const {
    if constexpr (
        requires { &Derived::refusal; } || requires { self().refusal(bytes, alignment); }) {
      raise(self().refusal(bytes, alignment));
    } else {
      failure record{.resource = Derived::class_name, .bytes = bytes, .alignment = alignment};
      if constexpr (requires { self().name(); }) record.name = self().name();
      if constexpr (requires { self().used(); }) record.used = self().used();
      if constexpr (requires { self().capacity(); }) record.capacity = self().capacity();
      raise(record);
    }
  }

private:
  [[nodiscard]] Derived& self() noexcept { return static_cast<Derived&>(*this); }
  [[nodiscard]] const Derived& self() const noexcept { return static_cast<const Derived&>(*this); }

  void* placed(std::size_t bytes, std::size_t alignment) {
    if constexpr (
        requires { &Derived::place_or_fail; } || requires { self().place_or_fail(bytes, alignment); }) {
      return self().place_or_fail(bytes, alignment);
    } else {
      void* const p = self().place(bytes, alignment);
      if (p == nullptr) [[unlikely]]
        fail(bytes, alignment);
      return p;
    }
  }

  void* do_allocate(std::size_t bytes, std::size_t alignment) final {
    ALLOT_EXPECTS(is_alignment(alignment));
    return placed(bytes, alignment); // memory_resource::allocate starts the lifetimes
  }

  void* do_try_allocate(std::size_t bytes, std::size_t alignment) noexcept final {
    return try_allocate(bytes, alignment);
  }

  void do_deallocate(void* p, std::size_t bytes, std::size_t alignment) noexcept final {
    deallocate(p, bytes, alignment);
  }

  [[nodiscard]] ownership do_owns(const void* p) const noexcept final { return owns(p); }
};

} // namespace allot::inline ALLOT_ABI
