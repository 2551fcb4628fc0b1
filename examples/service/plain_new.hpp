#pragma once

#include <allot/core/resource_interface.hpp>

#include <cstddef>
#include <new>

namespace service {

/// `operator new` as a resource, to compare with. As a container without a resource would call it, and so not
/// `std::pmr::new_delete_resource`, whose libstdc++ 12 takes the slower aligned form for every block.
///
/// Threads: any thread.
class plain_new final : public allot::resource_interface<plain_new> {
public:
  static constexpr const char* class_name = "plain_new";

private:
  friend allot::resource_interface<plain_new>;

  static constexpr bool is_ordinary(std::size_t alignment) noexcept {
    return alignment <= __STDCPP_DEFAULT_NEW_ALIGNMENT__;
  }

  void* place(std::size_t bytes, std::size_t alignment) noexcept {
    if (is_ordinary(alignment)) return ::operator new(bytes, std::nothrow);
    return ::operator new (bytes, std::align_val_t{alignment}, std::nothrow);
  }

  void give_back(void* p, std::size_t, std::size_t alignment) noexcept {
    if (is_ordinary(alignment)) {
      ::operator delete(p);
    } else {
      ::operator delete (p, std::align_val_t{alignment});
    }
  }
};

} // namespace service
