#pragma once

#include <allot/core/resource_interface.hpp>
#include <allot/detail/address_tree.hpp>
#include <allot/detail/recursive_lock.hpp>
#include <allot/testing/memory_report.hpp>
#include <allot/testing/stack_source.hpp>

#include <array>
#include <cstddef>
#include <cstdio>
#include <limits>
#include <memory_resource>
#include <optional>
#include <span>

namespace allot::inline ALLOT_ABI {

/// What a `checking_resource` does with a finding when no handler is set.
enum class on_fault : unsigned char {
  abort,  ///< prints the report to stderr and ends the program by `halt`
  record, ///< counts it and goes on
};

/// How a `checking_resource` behaves; what is not named keeps its default.
struct checking_options {
  const char* name = nullptr;             ///< stands in each report; static storage
  on_fault action = on_fault::abort;      ///< what becomes of a finding
  memory_fault_handler handler = nullptr; ///< is called instead of `action`
  void* user = nullptr;                   ///< goes to the handler
  /// Freed bytes kept back, oldest given up first; a block larger than that goes back at once. They are missing in a
  /// small upstream: only over `malloc` is the quarantine given up before a request is refused, and not for others who
  /// call malloc. On bare metal it is 1 KiB.
  std::size_t quarantine_bytes = std::size_t{1} << (ALLOT_BARE_METAL ? 10 : 20);
  bool verbose = false; ///< prints a line to stderr for every call
  /// Where reports get call stacks from, for example `&boost_stacks()`; null: they have none, and nothing is paid for
  /// them. It outlives the resource. Each block is about 600 bytes larger, and each call as slow as a walk up its stack.
  const stack_source* stacks = nullptr;
};

/// Figures of a `checking_resource`. Bytes are those asked for.
struct checking_counts {
  std::size_t attempts = 0;      ///< calls of `allocate` and `try_allocate`: allocations + failures
  std::size_t allocations = 0;   ///< calls that gave a block
  std::size_t failures = 0;      ///< calls that did not
  std::size_t deallocations = 0; ///< blocks taken back
  std::size_t live_blocks = 0;   ///< given out and not yet back
  std::size_t live_bytes = 0;    ///< given out and not yet back
  std::size_t peak_blocks = 0;   ///< the most that were live at once
  std::size_t peak_bytes = 0;    ///< the most that were live at once
  std::size_t total_bytes = 0;   ///< of all blocks ever given out
  std::size_t largest_bytes = 0; ///< of the largest single block

  friend bool operator==(const checking_counts&, const checking_counts&) noexcept = default;
};

/// Gives out blocks that betray what their user does wrong: the upstream that a test wants under its code.
///
///     header | guard FD FD ... | block: CD CD ... (DD DD ... once freed) | guard FD FD ...
///
/// Guarantees
/// - Finds leaks, double frees, foreign pointers, wrong sizes and alignments, writes in front of, behind and (while the
///   block is in quarantine) into freed blocks. Looks at no memory behind a pointer before it knows it for its own.
/// - Gives exactly the alignment asked for: an address is a multiple of `alignment` and not of twice that.
/// - Loses no block and no count: the books are in the blocks' own headers.
/// - A write in front of a block may run through the guard into the header: the block's record stands there twice. Where
///   both copies are overwritten (96 bytes and more in front), the program ends by the report, whatever the options say.
///   A stray write to the links beyond them, or behind the rear guard, is not found as such.
/// - After a report it goes on as far as it can: a block that it knows is taken back, any other pointer is ignored.
/// - Asks its upstream once for each request; what that throws, unless it is a `std::bad_alloc`, goes through `allocate`.
/// - An alignment that is no power of two is a broken precondition of every resource, and ends a checked program before
///   it could be recorded as a fault.
///
/// Costs: `malloc` (or the upstream) for each block, about 300 bytes and twice the alignment on top; logarithmic time.
/// The first and the last `fill_bytes` of a block are filled and looked at, and all of the guards.
/// Threads: any thread (one lock for every call, the upstream's included).
///
/// \snippet tests/testing/checking_resource_test.cpp example
class checking_resource final : public resource_interface<checking_resource> {
public:
  class monitor;

  static constexpr const char* class_name = "checking_resource";
  static constexpr bool owns_is_exact = true;

  static constexpr unsigned char fresh_byte = 0xCD;               ///< fills a block that is given out
  static constexpr unsigned char freed_byte = 0xDD;               ///< fills a block that came back
  static constexpr unsigned char guard_byte = 0xFD;               ///< surrounds a block
  static constexpr std::size_t guard_bytes = 32;                  ///< on either side, at the least
  static constexpr std::size_t fill_bytes = std::size_t{1} << 16; ///< at either end of a block, at the most
  static constexpr std::size_t unlimited = std::numeric_limits<std::size_t>::max(); ///< no limit of allocations

  /// Over `malloc`.
  explicit checking_resource(const checking_options& options = {}) noexcept;

  /// Over a resource that can fail without an exception.
  explicit checking_resource(resource& upstream, const checking_options& options = {}) noexcept;

  /// Over another one of its kind; without this it would be a copy.
  explicit checking_resource(checking_resource& upstream, const checking_options& options = {}) noexcept;

#if ALLOT_EXCEPTIONS
  /// Over any resource of the standard interface.
  explicit checking_resource(std::pmr::memory_resource& upstream, const checking_options& options = {}) noexcept;
#endif

  /// Reports what is still live as leaks, checks what is in quarantine, and gives everything back. With
  /// `on_fault::record` nobody sees that report: ask `check()` and `live_blocks()` before.
  ~checking_resource() override;

  /// The name from the options, or null.
  [[nodiscard]] const char* name() const noexcept { return options_.name; }

  /// Null where blocks come from `malloc`.
  [[nodiscard]] std::pmr::memory_resource* upstream_resource() const noexcept { return upstream_; }

  /// All figures at one moment.
  [[nodiscard]] checking_counts counts() const noexcept;

  /// One of the `counts`.
  [[nodiscard]] std::size_t attempts() const noexcept { return counts().attempts; }
  [[nodiscard]] std::size_t allocations() const noexcept { return counts().allocations; }
  [[nodiscard]] std::size_t failures() const noexcept { return counts().failures; }
  [[nodiscard]] std::size_t deallocations() const noexcept { return counts().deallocations; }
  [[nodiscard]] std::size_t live_blocks() const noexcept { return counts().live_blocks; }
  [[nodiscard]] std::size_t live_bytes() const noexcept { return counts().live_bytes; }
  [[nodiscard]] std::size_t peak_blocks() const noexcept { return counts().peak_blocks; }
  [[nodiscard]] std::size_t peak_bytes() const noexcept { return counts().peak_bytes; }
  [[nodiscard]] std::size_t total_bytes() const noexcept { return counts().total_bytes; }
  [[nodiscard]] std::size_t largest_bytes() const noexcept { return counts().largest_bytes; }

  /// What was asked for last, and what was given back last (their `bytes` are 0 before the first).
  [[nodiscard]] layout last_allocated() const noexcept;
  [[nodiscard]] layout last_deallocated() const noexcept;

  /// Faults found so far, of all kinds or of one.
  [[nodiscard]] std::size_t errors() const noexcept;
  [[nodiscard]] std::size_t errors(memory_fault fault) const noexcept;

  /// The first fault found, or nothing.
  [[nodiscard]] std::optional<memory_report> first_error() const noexcept;

  /// The latest fault found, or nothing.
  [[nodiscard]] std::optional<memory_report> last_error() const noexcept;

  /// 0: no fault, nothing live; -1: no fault, but something is live; otherwise the number of faults.
  [[nodiscard]] long status() const noexcept;

  /// Forgets the faults found so far. The counts and the blocks stay.
  void clear_errors() noexcept;

  /// Looks at every guard and at every block in quarantine, and reports what was overwritten (once: what it reports it
  /// repairs). \return faults found by this call
  std::size_t check() noexcept;

  /// Gives the memory in quarantine back, after a look at it.
  void empty_quarantine() noexcept;

  /// Lets `n` more allocations succeed; those after it fail. `unlimited` takes the limit away.
  void set_allocation_limit(std::size_t n) noexcept;

  /// How many more may succeed, or `unlimited`.
  [[nodiscard]] std::size_t allocation_limit() const noexcept;

  /// Prints a line for every call from now on, or no longer.
  void set_verbose(bool verbose) noexcept;

  /// Writes a line for each live block, oldest first, into `text`, terminated and cut where it does not fit. Where there
  /// are stacks it is a line for all live blocks that the same stack asked for, and the frames of that stack below it (as
  /// many as fit into 16 KiB).
  /// \return the length of the whole list without the null
  std::size_t report_leaks(std::span<char> text) const noexcept;

  /// Prints the same. \return the number of live blocks
  std::size_t report_leaks(std::FILE* out) const noexcept;

private:
  friend resource_interface;

  static constexpr std::size_t fault_kinds = static_cast<std::size_t>(memory_fault::poisoned) + 1;

  struct record;
  struct block;
  struct block_stacks;

  /// Blocks in the order in which they arrived.
  struct block_list {
    block* first = nullptr;
    block* last = nullptr;
    void append(block* b) noexcept;
    void remove(block* b) noexcept;
  };

  void* place(std::size_t bytes, std::size_t alignment) noexcept;
  void* place_or_fail(std::size_t bytes, std::size_t alignment);
  void give_back(void* p, std::size_t bytes, std::size_t alignment) noexcept;
  [[nodiscard]] ownership holds(const void* p) const noexcept;

  [[nodiscard]] void* give_out(std::size_t bytes, std::size_t alignment);
  [[nodiscard]] void* take_upstream(std::size_t bytes);
  void take_upstream_back(block* b) noexcept;
  void count_allocation(std::size_t bytes) noexcept;
  void put_in_quarantine(block& b) noexcept;
  void trim_quarantine(std::size_t to) noexcept;
  void check_deallocation(const block& b, const void* p, std::size_t bytes, std::size_t alignment) noexcept;
  void check_header(block& b) noexcept;
  [[noreturn]] void lose(block& b) noexcept;
  void check_guards(block& b) noexcept;
  void check_freed(block& b) noexcept;
  void report_unknown(const block* near, const void* p, std::size_t bytes, std::size_t alignment) noexcept;
  void report(memory_report what) noexcept;
  void print(const memory_report& what, std::FILE* out) const noexcept;
  void print_with_stacks(const memory_report& what, std::FILE* out) const noexcept;
  [[nodiscard]] memory_report about(memory_fault fault, const block& b) const noexcept;
  [[nodiscard]] block_stacks* stacks_of(const block& b) const noexcept;
  template <class F>
  void for_each_leak(F f) const noexcept;
  template <class F>
  void for_each_leak_with_stacks(F f) const noexcept;
  void add_to_group(block& b, std::span<block*> groups) const noexcept;
  std::size_t describe_group(const block& leader, std::span<char> text) const noexcept;

  std::pmr::memory_resource* const upstream_;
  resource* const tries_; // the upstream again, where it can fail without an exception
  checking_options options_;
  mutable detail::recursive_lock mutex_; // recursive: a handler may ask for the counts
  checking_counts counts_;
  detail::address_tree<block> tree_; // every block of either list
  block_list live_;
  block_list freed_; // the quarantine
  std::size_t freed_bytes_ = 0;
  std::size_t limit_ = unlimited;
  layout last_allocated_;
  layout last_deallocated_;
  std::array<std::size_t, fault_kinds> errors_{};
  std::optional<memory_report> first_;
  std::optional<memory_report> last_;
};

/// What happened to a `checking_resource` since the monitor was made: `checking_resource::monitor m{up};`.
class checking_resource::monitor {
public:
  /// Starts from what `watched`, which outlives it, has counted by now.
  explicit monitor(const checking_resource& watched) noexcept : watched_{watched}, start_{watched.counts()} {}

  /// Starts anew from here.
  void reset() noexcept { start_ = watched_.counts(); }

  /// The growth of one of the `counts`.
  [[nodiscard]] std::size_t attempts() const noexcept { return watched_.attempts() - start_.attempts; }
  [[nodiscard]] std::size_t allocations() const noexcept { return watched_.allocations() - start_.allocations; }
  [[nodiscard]] std::size_t failures() const noexcept { return watched_.failures() - start_.failures; }
  [[nodiscard]] std::size_t deallocations() const noexcept { return watched_.deallocations() - start_.deallocations; }
  [[nodiscard]] std::size_t total_bytes() const noexcept { return watched_.total_bytes() - start_.total_bytes; }

  /// Negative where more went back than came out.
  [[nodiscard]] std::ptrdiff_t live_blocks_delta() const noexcept {
    return static_cast<std::ptrdiff_t>(watched_.live_blocks() - start_.live_blocks);
  }
  [[nodiscard]] std::ptrdiff_t live_bytes_delta() const noexcept {
    return static_cast<std::ptrdiff_t>(watched_.live_bytes() - start_.live_bytes);
  }

  /// As many blocks and bytes are live as at the start.
  [[nodiscard]] bool is_live_same() const noexcept { return live_blocks_delta() == 0 && live_bytes_delta() == 0; }
  /// Nothing was given out since.
  [[nodiscard]] bool is_total_same() const noexcept { return allocations() == 0; }
  /// Neither peak has moved.
  [[nodiscard]] bool is_peak_same() const noexcept {
    const auto now = watched_.counts();
    return now.peak_blocks == start_.peak_blocks && now.peak_bytes == start_.peak_bytes;
  }

private:
  const checking_resource& watched_;
  checking_counts start_;
};

} // namespace allot::inline ALLOT_ABI
