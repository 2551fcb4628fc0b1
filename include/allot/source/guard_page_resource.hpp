#pragma once

#include <allot/core/config.hpp>

#if ALLOT_BARE_METAL
#error "allot: guard_page_resource needs an operating system: there is none on bare metal"
#endif

#include <allot/core/resource_interface.hpp>
#include <allot/detail/page_range.hpp>

#include <cstddef>

namespace allot::inline ALLOT_ABI {

/// On which side a block of a `guard_page_resource` touches the inaccessible page, to the byte.
enum class guard : unsigned char {
  after,  ///< its end: finds what writes or reads past it
  before, ///< its start: finds what writes or reads in front of it
};

/// How a `guard_page_resource` behaves; what is not named keeps its default.
struct guard_page_options {
  const char* name = nullptr; ///< for records and reports; static storage
  guard side = guard::after;  ///< which side is watched to the byte
  /// Bytes of addresses, reserved at the first request: 64 GiB where addresses have 64 bits (4 GiB with `ALLOT_VALGRIND`, since
  /// Memcheck has not so many), else 256 MiB. They cost no memory.
  std::size_t reserve = std::size_t{1} << (sizeof(void*) == 4 ? 28 : ALLOT_VALGRIND ? 32 : 36);
  /// Freed addresses that are kept back, in bytes; the oldest are given up first, and before a request is refused.
  std::size_t quarantine_bytes = std::size_t{1} << (sizeof(void*) > 4 ? 30 : 24);
};

/// Gives each block pages of its own against an inaccessible page, so that a stray access ends the program where it happens.
///
/// For debugging only, and not for many blocks: each costs a page of memory at least and two of the system's mappings, of
/// which Linux allows 65,530: some 32,000 live blocks, and then a refusal.
///
///     inaccessible | slack FD FD ... block | inaccessible | freed: inaccessible | inaccessible | ...
///
/// Guarantees
/// - With `guard::after` the first byte past the block is inaccessible, or, where the size is no multiple of the alignment, the
///   first past fewer than `alignment` bytes of slack. With `guard::before` the byte in front is. The other side is
///   inaccessible from the next page on.
/// - Slack is filled, and looked at when the block comes back: a changed byte is a record.
/// - A block that came back is inaccessible, while it is in quarantine and after that until its pages are used again.
/// - A block that comes back twice, with another size or alignment, or from elsewhere, is told by a record. Each of these records
///   is a `wrong_deallocation`, goes to the failure handler, and ends the program if that returns.
/// - Zero bytes are an inaccessible address of their own.
/// - A refused system call is told with the system's error number, and changes nothing but `reserved()` and the books.
///
/// Costs: two system calls and a page fault per block; 48 bytes per block and 24 per page of addresses in use for records.
/// Threads: one thread at a time.
///
/// \snippet tests/source/guard_page_resource_test.cpp example
class guard_page_resource final : public resource_interface<guard_page_resource> {
public:
  static constexpr const char* class_name = "guard_page_resource";
  static constexpr bool owns_is_exact = true;

  static constexpr unsigned char slack_byte = 0xFD; ///< fills what of a block's pages is not the block's

  /// Asks the system for nothing yet.
  explicit guard_page_resource(const guard_page_options& options = {}) noexcept : options_{options} {}

  /// \param name  static storage
  explicit guard_page_resource(guard side, const char* name = nullptr) noexcept
      : guard_page_resource{guard_page_options{.name = name, .side = side}} {}

  /// Gives everything back. Blocks that are still live are nobody's complaint: ask `live_blocks` before.
  ~guard_page_resource() override;

  /// The name from the options, or null.
  [[nodiscard]] const char* name() const noexcept { return options_.name; }

  /// Bytes that were asked for and are not back.
  [[nodiscard]] std::size_t used() const noexcept { return used_; }

  /// The most bytes that were ever `used` at once.
  [[nodiscard]] std::size_t high_water() const noexcept { return high_water_; }

  [[nodiscard]] std::size_t live_blocks() const noexcept { return blocks_; }

  /// Bytes of addresses taken from the system, the records' included.
  [[nodiscard]] std::size_t reserved() const noexcept { return range_.reserved(); }

  /// Bytes of memory that the system may have to back: pages of live blocks, and records.
  [[nodiscard]] std::size_t committed() const noexcept;

  /// Bytes of addresses in quarantine, the inaccessible page of each block included.
  [[nodiscard]] std::size_t quarantined() const noexcept { return quarantined_; }

  /// Lets all addresses in quarantine be used again.
  void empty_quarantine() noexcept;

private:
  friend resource_interface;

  struct record;

  void* place(std::size_t bytes, std::size_t alignment) noexcept;
  void* place_or_fail(std::size_t bytes, std::size_t alignment);
  void give_back(void* p, std::size_t bytes, std::size_t alignment) noexcept;
  [[nodiscard]] ownership holds(const void* p) const noexcept { return range_.holds(p); }

  void* take(std::size_t bytes, std::size_t alignment, detail::page_refusal& why) noexcept;
  [[nodiscard]] detail::page_run* find(std::size_t pages, std::size_t step) noexcept;
  [[nodiscard]] record& record_of(std::size_t page) const noexcept;
  [[nodiscard]] std::byte* block_at(std::size_t page, std::size_t bytes, std::size_t alignment) const noexcept;
  [[nodiscard]] const char* fault_of(const void* p, std::size_t bytes, std::size_t alignment) const noexcept;
  [[nodiscard]] const char* fault_of_slack(std::size_t page, const record& block) const noexcept;
  void put_in_quarantine(std::size_t page, record& block) noexcept;
  void give_up_oldest() noexcept;

  const guard_page_options options_;
  detail::page_range range_;
  std::size_t used_ = 0;
  std::size_t high_water_ = 0;
  std::size_t blocks_ = 0;
  std::size_t taken_blocks_ = 0; // live, in quarantine, or lost: their pages are not the range's to give
  std::size_t block_pages_ = 0;  // of live blocks and lost ones, without the guards
  std::size_t quarantined_ = 0;
  std::size_t oldest_ =
      0; // first pages of the blocks in quarantine that came first and last; it is a list by `record::next`
  std::size_t newest_ = 0; // 0: it is empty
};

} // namespace allot::inline ALLOT_ABI
