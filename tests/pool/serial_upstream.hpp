#pragma once

#include <allot/core/resource_interface.hpp>
#include <allot/testing/checking_resource.hpp>
#include <allot/testing/failing_adaptor.hpp>

#include <atomic>
#include <cstddef>
#include <thread>

namespace support {

/// The upstream of a pool for any thread: gives exactly the alignment asked for, looks at what comes back, fails where it
/// is told to. It is for one thread at a time, and notices where two are in it: by itself, and by ThreadSanitizer, which
/// sees the counts of its `failing_adaptor`.
class serial_upstream final : public allot::resource_interface<serial_upstream> {
public:
  static constexpr const char* class_name = "serial_upstream";

  [[nodiscard]] allot::checking_resource& memory() noexcept { return memory_; }
  [[nodiscard]] allot::failing_adaptor<allot::checking_resource>& failing() noexcept { return failing_; }
  [[nodiscard]] bool met_two_threads() const noexcept { return met_two_; }

private:
  friend resource_interface;

  class visit {
  public:
    explicit visit(serial_upstream& upstream) noexcept : upstream_{upstream} {
      if (upstream_.visitors_.fetch_add(1) != 0) upstream_.met_two_ = true;
      std::this_thread::yield(); // so that another one would come
    }
    ~visit() { upstream_.visitors_.fetch_sub(1); }
    visit(const visit&) = delete;
    visit& operator=(const visit&) = delete;

  private:
    serial_upstream& upstream_;
  };

  void* place(std::size_t bytes, std::size_t alignment) noexcept {
    const visit here{*this};
    return failing_.try_allocate(bytes, alignment);
  }
  void* place_or_fail(std::size_t bytes, std::size_t alignment) {
    const visit here{*this};
    return failing_.allocate(bytes, alignment);
  }
  void give_back(void* p, std::size_t bytes, std::size_t alignment) noexcept {
    const visit here{*this};
    failing_.deallocate(p, bytes, alignment);
  }

  allot::checking_resource memory_;
  allot::failing_adaptor<allot::checking_resource> failing_{memory_};
  std::atomic<int> visitors_{0};
  std::atomic<bool> met_two_{false};
};

} // namespace support
