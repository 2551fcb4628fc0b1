#pragma once

#include <allot/core/resource.hpp>

#include <algorithm>
#include <cstddef>
#include <cstring>
#include <span>
#include <string_view>

namespace service {

/// The bytes of a request's body in one piece, in the request's memory. Of a known length it is allocated once and read
/// into straight from the socket; of an unknown one it grows by doubling.
class request_body {
public:
  explicit request_body(allot::resource& memory) noexcept : memory_{memory} {}
  request_body(const request_body&) = delete;
  request_body& operator=(const request_body&) = delete;
  ~request_body() {
    if (data_ != nullptr) memory_.deallocate(data_, capacity_, 1);
  }

  /// Makes room for `capacity` bytes in all; false where there is none, and nothing has changed.
  [[nodiscard]] bool try_reserve(std::size_t capacity) noexcept {
    return capacity <= capacity_ || adopt(memory_.try_allocate(capacity, 1), capacity);
  }

  /// The same, and fails as the memory does.
  /// \throws what the memory throws; then nothing has changed
  void reserve(std::size_t capacity) {
    if (capacity > capacity_) adopt(memory_.allocate(capacity, 1), capacity);
  }

  /// The capacity to reserve before `append` of that many bytes: doubled where it must grow.
  [[nodiscard]] std::size_t capacity_for(std::size_t more) const noexcept {
    return more <= capacity_ - size_ ? capacity_ : std::max({size_ + more, capacity_ * 2, least_capacity});
  }

  /// Where the next bytes go: room that is reserved and not yet filled.
  [[nodiscard]] std::span<char> room() noexcept { return {data_ + size_, capacity_ - size_}; }

  /// Adds `piece`; if it lies at the start of `room()` already, it stays there.
  /// \pre there is room for it
  void append(std::string_view piece) noexcept {
    if (piece.data() != data_ + size_) std::memcpy(data_ + size_, piece.data(), piece.size());
    size_ += piece.size();
  }

  [[nodiscard]] std::size_t size() const noexcept { return size_; }
  [[nodiscard]] std::string_view text() const noexcept { return {data_, size_}; }

private:
  static constexpr std::size_t least_capacity = 4096;

  bool adopt(void* larger, std::size_t capacity) noexcept {
    if (larger == nullptr) return false;
    if (data_ != nullptr) {
      std::memcpy(larger, data_, size_);
      memory_.deallocate(data_, capacity_, 1);
    }
    data_ = static_cast<char*>(larger);
    capacity_ = capacity;
    return true;
  }

  allot::resource& memory_;
  char* data_ = nullptr;
  std::size_t size_ = 0; // size_ <= capacity_
  std::size_t capacity_ = 0;
};

} // namespace service
