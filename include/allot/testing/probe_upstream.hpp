#pragma once

#include <allot/core/resource_interface.hpp>
#include <allot/testing/checking_resource.hpp>
#include <allot/testing/failing_adaptor.hpp>

#include <cstddef>
#include <optional>

namespace allot::inline ALLOT_ABI {

/// What became of a `probe_upstream`, known when it has ended.
struct upstream_verdict {
  bool ended = false;                       ///< it has ended, and the rest is filled in
  std::size_t leaked_blocks = 0;            ///< live when it ended
  std::size_t errors = 0;                   ///< without the leaks
  std::optional<memory_report> first_error; ///< without the leaks
};

/// The upstream of a conformance fixture: gives exactly the alignment asked for, fails when it is told to, and records
/// what its user does wrong.
///
///     resource under test -> probe_upstream { failing() -> memory() -> malloc }
///
/// Guarantees
/// - What `checking_resource` (which records here, and does not abort) and `failing_adaptor` guarantee.
///
/// Costs, Threads: theirs.
class probe_upstream final : public resource_interface<probe_upstream> {
public:
  static constexpr const char* class_name = "probe_upstream";
  static constexpr bool owns_is_exact = true;

  probe_upstream() noexcept : memory_{checking_options{.name = "upstream", .action = on_fault::record}} {}
  ~probe_upstream() override;

  /// The part that checks.
  [[nodiscard]] checking_resource& memory() noexcept { return memory_; }
  /// The part that fails when it is told to.
  [[nodiscard]] failing_adaptor<checking_resource>& failing() noexcept { return failing_; }

  /// More than that is refused: it would be of no use but to make tests slow.
  static constexpr std::size_t largest_bytes = std::size_t{1} << 28;

  /// The same of an alignment.
  static constexpr std::size_t largest_alignment = std::size_t{1} << 24;

  /// Has the destructor write down what it finds. `where` must outlive this object.
  void tell_at_end(upstream_verdict& where) noexcept { verdict_ = &where; }

private:
  friend resource_interface;

  static bool is_too_much(std::size_t bytes, std::size_t alignment) noexcept {
    return bytes > largest_bytes || alignment > largest_alignment;
  }

  void* place(std::size_t bytes, std::size_t alignment) noexcept {
    return is_too_much(bytes, alignment) ? nullptr : failing_.try_allocate(bytes, alignment);
  }
  void* place_or_fail(std::size_t bytes, std::size_t alignment) {
    if (is_too_much(bytes, alignment)) this->fail(bytes, alignment);
    return failing_.allocate(bytes, alignment);
  }
  void give_back(void* p, std::size_t bytes, std::size_t alignment) noexcept {
    failing_.deallocate(p, bytes, alignment);
  }
  [[nodiscard]] ownership holds(const void* p) const noexcept { return memory_.owns(p); }

  checking_resource memory_;
  failing_adaptor<checking_resource> failing_{memory_};
  upstream_verdict* verdict_ = nullptr;
};

} // namespace allot::inline ALLOT_ABI
