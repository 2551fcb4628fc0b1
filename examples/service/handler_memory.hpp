#pragma once

#include <allot/construct/allocator.hpp>
#include <allot/core/resource_interface.hpp>

#include <array>
#include <cstddef>
#include <utility>

#include <boost/asio/bind_allocator.hpp>

namespace service {

/// Memory for the operations that one connection or timer has under way in Asio, which would otherwise come from malloc
/// (by `aligned_alloc`). There is one operation at a time; it may be replaced before it is given back.
///
/// Threads: one thread at a time.
class handler_memory final : public allot::resource_interface<handler_memory> {
public:
  static constexpr const char* class_name = "handler_memory";

private:
  friend allot::resource_interface<handler_memory>;

  struct alignas(std::max_align_t) slot {
    std::byte bytes[512];
    bool taken = false;
  };

  void* place(std::size_t bytes, std::size_t alignment) noexcept {
    if (bytes > sizeof slot::bytes || alignment > alignof(slot)) return nullptr;
    for (slot& s : slots_) {
      if (!std::exchange(s.taken, true)) return s.bytes;
    }
    return nullptr;
  }

  void give_back(void* p, std::size_t, std::size_t) noexcept {
    for (slot& s : slots_) {
      if (s.bytes == p) s.taken = false;
    }
  }

  std::array<slot, 2> slots_;
};

/// `handler`, whose operation in Asio takes its memory from `memory`.
template <class Handler>
[[nodiscard]] auto in(handler_memory& memory, Handler&& handler) {
  return boost::asio::bind_allocator(allot::allocator<std::byte, handler_memory>{memory},
                                     std::forward<Handler>(handler));
}

} // namespace service
