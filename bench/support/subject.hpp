#pragma once

#include <cstddef>
#include <memory>
#include <memory_resource>
#include <span>
#include <type_traits>

namespace bench {

/// What a subject is made from.
struct setting {
  std::span<std::byte> buffer{};                                         ///< for an arena that does not grow
  std::pmr::memory_resource* upstream = std::pmr::new_delete_resource(); ///< for all others
  std::size_t block_bytes = 0;                                           ///< for a pool of one size
};

/// A resource under measurement. Whatever it is, its callers see `std::pmr::memory_resource`: one virtual call.
class subject {
public:
  subject() = default;
  subject(const subject&) = delete;
  subject& operator=(const subject&) = delete;
  virtual ~subject() = default;

  [[nodiscard]] virtual std::pmr::memory_resource& resource() noexcept = 0;

  /// Frees every block at once, and keeps the memory for later where the resource knows how to.
  virtual void reset() = 0;
};

/// Frees every block of `r`, by whatever that is called.
template <class Resource>
void reset(Resource& r) {
  if constexpr (requires { r.reset(); }) {
    r.reset();
  } else if constexpr (requires { r.release(); }) {
    r.release();
  }
}

/// A class of another interface as a `std::pmr::memory_resource`. Its calls are inlined here, so that the way to it is the
/// one virtual call that the others have.
template <class Native>
class as_std final : public std::pmr::memory_resource {
public:
  template <class Construct>
  as_std(Construct construct, const setting& s) : native_(construct(s)) {}

  void reset() { bench::reset(native_); }

private:
  void* do_allocate(std::size_t bytes, std::size_t alignment) override { return native_.allocate(bytes, alignment); }
  void do_deallocate(void* p, std::size_t bytes, std::size_t alignment) override {
    native_.deallocate(p, bytes, alignment);
  }
  [[nodiscard]] bool do_is_equal(const memory_resource& other) const noexcept override { return this == &other; }

  Native native_;
};

/// The subject that `construct`, a function of a setting, returns by value.
template <auto construct>
class subject_of final : public subject {
public:
  explicit subject_of(const setting& s) : resource_(make(s)) {}

  [[nodiscard]] std::pmr::memory_resource& resource() noexcept override { return resource_; }
  void reset() override { bench::reset(resource_); }

private:
  using native = decltype(construct(setting{}));
  static constexpr bool is_std = std::is_base_of_v<std::pmr::memory_resource, native>;
  using resource_type = std::conditional_t<is_std, native, as_std<native>>;

  static resource_type make(const setting& s) {
    if constexpr (is_std) {
      return construct(s);
    } else {
      return resource_type(construct, s);
    }
  }

  resource_type resource_;
};

} // namespace bench
