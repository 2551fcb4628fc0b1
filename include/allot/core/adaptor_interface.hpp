#pragma once

#include <allot/core/resource_interface.hpp>
#include <allot/core/upstream.hpp>

#include <cstddef>

namespace allot::inline ALLOT_ABI {

/// Writes an adaptor (one upstream, one thing added) from its hooks, and holds the order of every ledger in one place:
///
///     allocate:    admit -> upstream's allocate -> allocated     (upstream failed: refused)
///     deallocate:  releasing -> upstream's deallocate -> released
///
/// Observers record in `allocated` and `releasing`, so that an address is never live twice in their books. Charges are
/// taken in `admit` and given back in `released` or `refused`, so that the upstream never holds more than was charged.
///
/// The hooks are private members of `Derived`, which names this class as a friend; what it leaves out does nothing:
///
///     bool admit(std::size_t bytes, std::size_t alignment) noexcept; // false: this layer refuses; nothing was charged
///     void allocated(void* p, std::size_t bytes, std::size_t alignment) noexcept;
///     void refused(std::size_t bytes, std::size_t alignment) noexcept;   // upstream failed: undo `admit`
///     void releasing(void* p, std::size_t bytes, std::size_t alignment) noexcept;
///     void released(std::size_t bytes, std::size_t alignment) noexcept;
///
/// and `static constexpr const char* class_name`, and `refusal` where `admit` can say no (see `resource_interface`).
///
/// Guarantees
/// - One call to the upstream for each request: `allocate` calls its `allocate`, `try_allocate` its `try_allocate`.
/// - Size, alignment and pointer pass through unchanged.
/// - Where the upstream fails, its own exception or record goes on to the caller.
///
/// Costs: the hooks. Known types all the way down are inlined into one call.
template <class Derived, class Upstream>
class adaptor_interface : public resource_interface<Derived> {
public:
  /// The upstream's type, `std::pmr::memory_resource` where it is not known.
  using upstream_type = Upstream;

  /// True where `owns` never answers `unknown`: the upstream's own answer is passed on.
  static constexpr bool owns_is_exact = knows_its_own<Upstream>;

  /// The resource that the memory comes from; never null.
  [[nodiscard]] Upstream* upstream_resource() const noexcept { return &upstream_; }

  /// The name given at construction, or null.
  [[nodiscard]] const char* name() const noexcept { return name_; }

protected:
  /// \param upstream  outlives the adaptor
  /// \param name      static storage, or null
  explicit adaptor_interface(Upstream& upstream, const char* name) noexcept : upstream_{upstream}, name_{name} {}
  ~adaptor_interface() override = default;

  /// \name The hooks that a derived class leaves out: they admit everything and record nothing.
  /// \{
  bool admit(std::size_t, std::size_t) noexcept { return true; } ///< before upstream is asked
  void allocated(void*, std::size_t, std::size_t) noexcept {}    ///< upstream delivered
  void refused(std::size_t, std::size_t) noexcept {}             ///< upstream failed
  void releasing(void*, std::size_t, std::size_t) noexcept {}    ///< before upstream has its block back
  void released(std::size_t, std::size_t) noexcept {}            ///< upstream has its block back
  /// \}

private:
  friend resource_interface<Derived>;

  /// Tells `refused` on the way out, by whatever exception, unless the upstream delivered.
  class undo_guard {
  public:
    undo_guard(Derived& adaptor, std::size_t bytes, std::size_t alignment) noexcept
        : adaptor_{adaptor}, bytes_{bytes}, alignment_{alignment} {}
    undo_guard(const undo_guard&) = delete;
    undo_guard& operator=(const undo_guard&) = delete;
    ~undo_guard() {
      if (armed_) adaptor_.refused(bytes_, alignment_);
    }
    void disarm() noexcept { armed_ = false; }

  private:
    Derived& adaptor_;
    std::size_t bytes_;
    std::size_t alignment_;
    bool armed_ = true;
  };

  [[nodiscard]] Derived& self() noexcept { return static_cast<Derived&>(*this); }

  void* place_or_fail(std::size_t bytes, std::size_t alignment) {
    if (!self().admit(bytes, alignment)) [[unlikely]]
      this->fail(bytes, alignment);
    undo_guard guard{self(), bytes, alignment};
    void* const p = upstream_.allocate(bytes, alignment);
    guard.disarm();
    self().allocated(p, bytes, alignment);
    return p;
  }

  void* place(std::size_t bytes, std::size_t alignment) noexcept {
    if (!self().admit(bytes, alignment)) return nullptr;
    void* const p = try_allocate_from(upstream_, bytes, alignment);
    if (p == nullptr) {
      self().refused(bytes, alignment);
      return nullptr;
    }
    self().allocated(p, bytes, alignment);
    return p;
  }

  void give_back(void* p, std::size_t bytes, std::size_t alignment) noexcept {
    self().releasing(p, bytes, alignment);
    upstream_.deallocate(p, bytes, alignment);
    self().released(bytes, alignment);
  }

  [[nodiscard]] ownership holds(const void* p) const noexcept { return owned_by(upstream_, p); }

  Upstream& upstream_;
  const char* name_;
};

} // namespace allot::inline ALLOT_ABI
