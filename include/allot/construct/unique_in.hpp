#pragma once

#include <allot/construct/allocator.hpp>
#include <allot/core/expects.hpp>
#include <allot/core/layout.hpp>
#include <allot/detail/array_bytes.hpp>

#include <concepts>
#include <cstddef>
#include <memory>
#include <memory_resource>
#include <type_traits>
#include <utility>

namespace allot::inline ALLOT_ABI {

namespace detail {

/// A block on loan from a resource: given back at the end of the block of code, unless it is kept.
template <class Resource>
class loan {
public:
  loan(Resource& resource, layout size)
      : resource_{resource}, size_{size}, block_{resource.allocate(size.bytes, size.alignment)} {}
  loan(const loan&) = delete;
  loan& operator=(const loan&) = delete;
  ~loan() {
    if (block_ != nullptr) resource_.deallocate(block_, size_.bytes, size_.alignment);
  }

  [[nodiscard]] void* get() const noexcept { return block_; }
  void* keep() noexcept { return std::exchange(block_, nullptr); }

private:
  Resource& resource_;
  layout size_;
  void* block_;
};

/// Destroys the `n` objects at `first`, the last one first.
template <class T>
void destroy_backwards(T* first, std::size_t n) noexcept {
  if constexpr (!std::is_trivially_destructible_v<T>) {
    while (n > 0)
      std::destroy_at(first + --n);
  }
}

/// An array in the making: what stands of it is destroyed at the end of the block of code, unless it is kept.
template <class T>
class growing_array {
public:
  explicit growing_array(void* storage) noexcept : first_{static_cast<T*>(storage)} {}
  growing_array(const growing_array&) = delete;
  growing_array& operator=(const growing_array&) = delete;
  ~growing_array() { destroy_backwards(first_, size_); }

  template <class Allocator>
  void append(const Allocator& from) {
    std::uninitialized_construct_using_allocator(first_ + size_, from);
    ++size_;
  }

  T* keep() noexcept {
    size_ = 0;
    return first_;
  }

private:
  T* first_;
  std::size_t size_ = 0;
};

/// A `U` can be deleted by way of a pointer to `T`.
template <class U, class T>
concept deleted_through = std::convertible_to<U*, T*> &&
    (std::same_as<std::remove_cv_t<U>, std::remove_cv_t<T>> || std::has_virtual_destructor_v<T>);

/// An array of `U` is an array of `T` but for qualifiers.
template <class U, class T>
concept same_elements = std::convertible_to<U (*)[], T (*)[]>;

} // namespace detail

/// Deletes what `unique_in` made: destroys the object and gives its block back to its resource, with the size and the
/// alignment that it was asked for with. A pointer to a base keeps them, wherever in the object the base lies.
///
/// Guarantees
/// - Converts from the deleter of a derived class only where the base's destructor is virtual.
/// - Default-constructed, as in an empty pointer, it deletes nothing.
///
/// Costs: four words; one virtual call.
/// Threads: as the resource says.
template <class T>
class delete_in {
public:
  constexpr delete_in() noexcept = default;

  /// For an object that was built in the `size` bytes at `block`.
  /// \param resource  gave the block, and outlives it
  delete_in(std::pmr::memory_resource& resource, void* block, layout size) noexcept
      : resource_{&resource}, block_{block}, size_{size} {}

  /// From the deleter of a derived class, or of one with fewer qualifiers.
  template <detail::deleted_through<T> U>
  delete_in(const delete_in<U>& other) noexcept
      : resource_{other.resource_}, block_{other.block_}, size_{other.size_} {}

  /// \pre `p` is the object that this deleter was made for, or a base of it
  void operator()(T* p) const noexcept {
    ALLOT_EXPECTS(resource_ != nullptr);
    std::destroy_at(p);
    resource_->deallocate(block_, size_.bytes, size_.alignment);
  }

  /// Null in a deleter that was default-constructed. An empty pointer keeps what its last object had.
  [[nodiscard]] std::pmr::memory_resource* resource() const noexcept { return resource_; }

private:
  template <class>
  friend class delete_in;

  std::pmr::memory_resource* resource_ = nullptr;
  void* block_ = nullptr;
  layout size_;
};

/// The same for an array, whose elements are destroyed from the last to the first. Converts only where qualifiers are
/// added: an array of a derived class is not an array of its base.
template <class T>
class delete_in<T[]> {
public:
  constexpr delete_in() noexcept = default;

  /// For an array of `size` elements.
  /// \param resource  gave the block, and outlives it
  delete_in(std::pmr::memory_resource& resource, std::size_t size) noexcept : resource_{&resource}, size_{size} {}

  /// From the deleter of an array whose elements have fewer qualifiers.
  template <detail::same_elements<T> U>
  delete_in(const delete_in<U[]>& other) noexcept : resource_{other.resource_}, size_{other.size_} {}

  /// \pre `first` is the array that this deleter was made for
  void operator()(T* first) const noexcept {
    ALLOT_EXPECTS(resource_ != nullptr);
    detail::destroy_backwards(first, size_);
    resource_->deallocate(const_cast<std::remove_cv_t<T>*>(first), size_ * sizeof(T), alignof(T));
  }

  /// Elements of the array; in a pointer that is empty now, of the last one.
  [[nodiscard]] std::size_t size() const noexcept { return size_; }

  /// Null in a deleter that was default-constructed.
  [[nodiscard]] std::pmr::memory_resource* resource() const noexcept { return resource_; }

private:
  template <class>
  friend class delete_in;

  std::pmr::memory_resource* resource_ = nullptr;
  std::size_t size_ = 0;
};

/// A `std::unique_ptr` to what lies in a resource. It must be destroyed before the resource.
template <class T>
using unique_ptr_in = std::unique_ptr<T, delete_in<T>>;

/// A T made of `args` in a block of `resource`. Where T takes an allocator it gets one of `resource`.
///
/// Guarantees
/// - When T's constructor throws, the block has been given back.
///
/// \throws what the resource or the constructor throws
/// \snippet tests/construct/unique_in_test.cpp example
template <detail::single_object T, class Resource, class... Args>
[[nodiscard]] unique_ptr_in<T> unique_in(Resource& resource, Args&&... args) {
  constexpr layout size = layout::of<T>();
  detail::loan block{resource, size};
  T* const object = std::uninitialized_construct_using_allocator(
      static_cast<T*>(block.get()), allocator<std::byte, Resource>{resource}, std::forward<Args>(args)...);
  return {object, delete_in<T>{resource, block.keep(), size}};
}

/// An array of `n` value-initialised elements, which are no arrays themselves; each gets an allocator of `resource` where
/// it takes one.
///
/// Guarantees
/// - When a constructor throws, the elements before it have been destroyed, the last first, and the block given back.
/// - An array of no elements is a pointer that is not null.
///
/// \throws std::bad_array_new_length  where `n` elements do not fit `std::size_t`
/// \throws what the resource or a constructor throws
template <detail::unbounded_row T, class Resource>
[[nodiscard]] unique_ptr_in<T> unique_in(Resource& resource, std::size_t n) {
  using element = std::remove_extent_t<T>;
  detail::loan block{resource, {detail::array_bytes<element>(n), alignof(element)}};
  detail::growing_array<element> array{block.get()};
  for (std::size_t i = 0; i < n; ++i)
    array.append(allocator<std::byte, Resource>{resource});
  block.keep();
  return {array.keep(), delete_in<T>{resource, n}};
}

} // namespace allot::inline ALLOT_ABI
