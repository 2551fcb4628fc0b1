#pragma once

#include <allot/core/claim_flag.hpp>
#include <allot/core/layout.hpp>

#include <atomic>
#include <concepts>
#include <cstddef>
#include <new>
#include <span>
#include <type_traits>

namespace allot::inline ALLOT_ABI {

/// Static memory for a resource and the N bytes that it hands out, claimed once: `claim()` builds the resource in place.
///
///     constinit allot::static_slot<allot::bump_resource<>, 64_KiB> slot;   // namespace scope, .bss
///     auto& arena = slot.claim("rx");                                      // the first caller; a second one fails
///
/// A `Resource` is constructible, without a throw, from `std::span<std::byte>`, or from that and a `const char*` name; any
/// other, such as a chain, is made by a function: `slot.claim(make_request_memory)`.
///
/// Guarantees
/// - All zero before the claim: it lies in `.bss`, and nothing runs before `main`.
/// - The resource is never destroyed and nothing is registered for exit, though its class has a virtual destructor.
/// - The N bytes are aligned to `Align`, and zero at the claim where the slot is a static. The name is kept by the
///   resource alone.
///
/// It is for objects of static storage duration. The resource in a local one ends without a destructor: it gives nothing
/// back, and an arena's poison for AddressSanitizer or Memcheck stays on the stack.
///
/// Costs: sizeof(Resource) + N + 2 bytes and padding. A claim is one atomic exchange, a lost claim a load.
/// Threads: the slot any thread and interrupt handlers, lock-free; the resource as its own class says.
///
/// \snippet tests/core/static_slot_test.cpp example
template <class Resource, std::size_t N, std::size_t Align = alignof(std::max_align_t)>
class static_slot {
  using bytes_type = std::span<std::byte>;
  static constexpr bool takes_name = std::is_constructible_v<Resource, bytes_type, const char*>;
  static constexpr bool takes_bytes = std::is_constructible_v<Resource, bytes_type>;

  static_assert(N > 0, "a slot of no bytes can serve nothing");
  static_assert(is_alignment(Align), "the alignment is a power of two");
  static_assert((!takes_name || std::is_nothrow_constructible_v<Resource, bytes_type, const char*>)&&(
                    !takes_bytes || std::is_nothrow_constructible_v<Resource, bytes_type>),
                "the resource is made from std::span<std::byte> (and a name) by a noexcept constructor: "
                "a throw would spend the slot");

public:
  static constexpr const char* class_name = "static_slot";

  constexpr static_slot() noexcept = default;
  static_slot(const static_slot&) = delete;
  static_slot& operator=(const static_slot&) = delete;

  /// The resource, for the first caller.
  /// \param name  goes to the resource, and into the record where the claim fails; static storage
  /// \throws already_claimed for everyone else
  [[nodiscard]] Resource& claim(const char* name = nullptr) { return claim(constructor{name}, name); }

  /// The same, and the resource is what `make(bytes)` returns, built where it is to stay.
  template <std::invocable<bytes_type> Make>
  [[nodiscard]] Resource& claim(Make make, const char* name = nullptr) {
    if (!flag_.claim()) [[unlikely]]
      raise_already_claimed(class_name, name, N);
    return build(make);
  }

  /// The resource for the first caller, null for everyone else.
  [[nodiscard]] Resource* try_claim(const char* name = nullptr) noexcept { return try_claim(constructor{name}); }
  template <std::invocable<bytes_type> Make>
  [[nodiscard]] Resource* try_claim(Make make) noexcept {
    return flag_.claim() ? &build(make) : nullptr;
  }

  /// The resource that was claimed, or null until it is built: to look at it, or to share it as its class allows.
  [[nodiscard]] Resource* get() noexcept { return is_built() ? resource() : nullptr; }
  [[nodiscard]] const Resource* get() const noexcept { return is_built() ? resource() : nullptr; }

  /// Whether a claim would fail now.
  [[nodiscard]] bool is_claimed() const noexcept { return flag_.is_claimed(); }

  /// Bytes that the resource is built over.
  [[nodiscard]] static constexpr std::size_t capacity() noexcept { return N; }

private:
  /// How a resource is made where no function says it.
  struct constructor {
    const char* name;

    Resource operator()(bytes_type bytes) const noexcept {
      static_assert(takes_name || takes_bytes, "the resource is made from std::span<std::byte> (and a name), "
                                               "or by a function that claim is given");
      if constexpr (takes_name) {
        return Resource(bytes, name);
      } else {
        return Resource(bytes);
      }
    }
  };

  template <class Make>
  Resource& build(Make& make) noexcept {
    static_assert(std::is_same_v<std::invoke_result_t<Make&, bytes_type>, Resource>,
                  "the function returns the resource by value");
    static_assert(std::is_nothrow_invocable_v<Make&, bytes_type>,
                  "the function is noexcept: a throw would spend the slot");
    auto* const made = ::new (static_cast<void*>(place_)) Resource(make(bytes_type{bytes_}));
    built_.store(true, std::memory_order_release);
    return *made;
  }

  [[nodiscard]] bool is_built() const noexcept { return built_.load(std::memory_order_acquire); }

  [[nodiscard]] Resource* resource() noexcept { return std::launder(reinterpret_cast<Resource*>(place_)); }
  [[nodiscard]] const Resource* resource() const noexcept {
    return std::launder(reinterpret_cast<const Resource*>(place_));
  }

  alignas(Align) std::byte bytes_[N]{};
  alignas(Resource) std::byte place_[sizeof(Resource)]{};
  claim_flag flag_;
  std::atomic<bool> built_{false}; // set after the resource is complete: a claimed slot is for a while without one
};

} // namespace allot::inline ALLOT_ABI
