#pragma once

#include <algorithm>
#include <cstddef>
#include <cstring>
#include <memory_resource>
#include <span>
#include <string_view>

namespace service {

/// The bytes of a request's body in one piece, in the request's memory. Of a known length it is allocated once and read
/// into straight from the socket; of an unknown one it grows by doubling.
class request_body {
public:
  explicit request_body(std::pmr::memory_resource& memory) noexcept : memory_{memory} {}
  request_body(const request_body&) = delete;
  request_body& operator=(const request_body&) = delete;
  ~request_body() {
    if (data_ != nullptr) memory_.deallocate(data_, capacity_, 1);
  }

  /// Makes room for `capacity` bytes in all.
  /// \throws what the memory throws; then nothing has changed
  void reserve(std::size_t capacity) {
    if (capacity <= capacity_) return;
    auto* const larger = static_cast<char*>(memory_.allocate(capacity, 1));
    if (data_ != nullptr) {
      std::memcpy(larger, data_, size_);
      memory_.deallocate(data_, capacity_, 1);
    }
    data_ = larger;
    capacity_ = capacity;
  }

  /// Where the next bytes go: room that is reserved and not yet filled.
  [[nodiscard]] std::span<char> room() noexcept { return {data_ + size_, capacity_ - size_}; }

  /// Adds `piece`; if it lies at the start of `room()` already, it stays there.
  /// \throws what the memory throws; then nothing has changed
  void append(std::string_view piece) {
    if (piece.size() > capacity_ - size_) reserve(std::max({size_ + piece.size(), capacity_ * 2, least_capacity}));
    if (piece.data() != data_ + size_) std::memcpy(data_ + size_, piece.data(), piece.size());
    size_ += piece.size();
  }

  [[nodiscard]] std::size_t size() const noexcept { return size_; }
  [[nodiscard]] std::string_view text() const noexcept { return {data_, size_}; }

private:
  static constexpr std::size_t least_capacity = 4096;

  std::pmr::memory_resource& memory_;
  char* data_ = nullptr;
  std::size_t size_ = 0; // size_ <= capacity_
  std::size_t capacity_ = 0;
};

} // namespace service
