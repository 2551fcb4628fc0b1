#pragma once

#include <allot/core/config.hpp>

#if ALLOT_BARE_METAL
#error "allot: page_resource needs an operating system: there is none on bare metal"
#endif

#include <allot/core/resource_interface.hpp>
#include <allot/detail/page_range.hpp>

#include <cstddef>

namespace allot::inline ALLOT_ABI {

/// What becomes of the memory of pages that come back to a `page_resource`.
enum class freed_pages : unsigned char {
  given_back, ///< goes to the system at once, by a call
  kept,       ///< stays for the next block, until `trim` or `release`
};

/// How a `page_resource` behaves; what is not named keeps its default.
struct page_options {
  const char* name = nullptr; ///< for records and reports; static storage
  /// Bytes of addresses, reserved at the first request: 1 TiB where addresses have 64 bits (8 GiB with `ALLOT_VALGRIND`, since
  /// Memcheck has not so many), else 256 MiB. They cost no memory.
  std::size_t reserve = std::size_t{1} << (sizeof(void*) == 4 ? 28 : ALLOT_VALGRIND ? 33 : 40);
  /// Pages that no block had before are made accessible at least so many bytes at a time; rounded up to whole pages.
  std::size_t commit_step = std::size_t{1} << 18;
  freed_pages freed = freed_pages::given_back; ///< what becomes of them
  bool huge_pages = false; ///< asks for huge pages, if there are no gaps; then `commit_step` is at least one of them
  bool guard_gaps = false; ///< an inaccessible page between two blocks; freed blocks are inaccessible, and given back
};

/// Takes whole pages from the system, out of one range of addresses that it reserves at the first request.
///
/// Not for small blocks: each has pages of its own, and its first touch of each page costs a fault. It is what an arena or a
/// pool stands on.
///
///     | block | block | free: given back or kept | block | slack of a commit step | addresses without memory ... |
///
/// Guarantees
/// - The lowest free pages that fit are used (for alignments over a page perhaps not the lowest); those that come back join
///   their neighbours. A request that fits somewhere is served, whatever its alignment.
/// - Memory follows use: pages are made accessible when a block takes them or, without gaps, pages above them, as one does that
///   is aligned to a gigabyte. `committed()` is all that the system may have to back. (Where free pages with memory and without
///   lie in one run it may say more than is so, until the next `trim`.)
/// - A refused system call is told with the system's error number. It changes nothing but `reserved()` and the books.
/// - `deallocate` tells a block that is already free, or lies elsewhere, by its record to the failure handler, and ends.
/// - With `guard_gaps` a block that has two neighbours costs two of the system's mappings, of which Linux allows 65,530.
///
/// Costs: a page at least per block; books of 48 bytes a block, on pages of their own; logarithmic time in the free runs (for
/// alignments over a page sometimes linear), and a system call where the pages are new or go back.
/// Threads: one thread at a time. After a fork each process has its own.
///
/// \snippet tests/source/page_resource_test.cpp example
/// \snippet tests/source/page_resource_test.cpp recipe
class page_resource final : public resource_interface<page_resource> {
public:
  static constexpr const char* class_name = "page_resource";
  static constexpr bool owns_is_exact = true;

  /// Asks the system for nothing yet.
  explicit page_resource(const page_options& options = {}) noexcept : options_{options} {}

  /// With a range of `reserve` bytes. \param name  static storage
  explicit page_resource(std::size_t reserve, const char* name = nullptr) noexcept
      : page_resource{page_options{.name = name, .reserve = reserve}} {}

  /// Gives everything back, blocks that are live included.
  ~page_resource() override;

  /// The name from the options, or null.
  [[nodiscard]] const char* name() const noexcept { return options_.name; }

  /// Bytes that were asked for and are not back.
  [[nodiscard]] std::size_t used() const noexcept { return used_; }

  /// The most bytes that were ever `used` at once.
  [[nodiscard]] std::size_t high_water() const noexcept { return high_water_; }

  [[nodiscard]] std::size_t live_blocks() const noexcept { return blocks_; }

  /// Bytes of addresses taken from the system, the books' included: 0 before the first request and after `release`.
  [[nodiscard]] std::size_t reserved() const noexcept { return range_.reserved(); }

  /// Bytes of memory that the system may have to back: pages of blocks, free pages not given back, and books. (A Linux that
  /// does not overcommit reckons with every page that was ever accessible, until `release`.)
  [[nodiscard]] std::size_t committed() const noexcept;

  /// True where the system took the wish for huge pages. It may still have none. False before the first request.
  [[nodiscard]] bool huge_pages() const noexcept { return huge_; }

  /// Gives the memory of all free pages to the system; they stay reserved. \return bytes by which `committed()` fell
  std::size_t trim() noexcept;

  /// Gives all addresses and all memory back at once; every block is void. The next request reserves anew; where the system
  /// does not take the range back, which is when it has no room for its own books, the next request tries that first.
  /// \return bytes by which `committed()` fell
  std::size_t release() noexcept;

private:
  friend resource_interface;

  void* place(std::size_t bytes, std::size_t alignment) noexcept;
  void* place_or_fail(std::size_t bytes, std::size_t alignment);
  void give_back(void* p, std::size_t bytes, std::size_t alignment) noexcept;
  [[nodiscard]] ownership holds(const void* p) const noexcept { return range_.holds(p); }

  void* take(std::size_t bytes, std::size_t alignment, detail::page_refusal& why) noexcept;
  [[nodiscard]] bool wants_huge() const noexcept { return options_.huge_pages && !options_.guard_gaps; }
  [[nodiscard]] int open() noexcept;
  [[nodiscard]] int make_accessible(detail::page_run* run, std::size_t at, std::size_t pages) noexcept;
  [[nodiscard]] int raise_frontier(detail::page_run* last, std::size_t end) noexcept;
  void take_memory_back(std::size_t at, std::size_t pages) noexcept;
  [[nodiscard]] int close() noexcept;
  void discard_below(detail::page_run* tree) noexcept;
  void unpoison_all() noexcept;

  const page_options options_;
  detail::page_range range_;
  std::size_t used_ = 0;
  std::size_t high_water_ = 0;
  std::size_t blocks_ = 0;
  std::size_t block_pages_ = 0;     // of live blocks, without the gaps
  std::size_t stranded_blocks_ = 0; // freed blocks that could not be made inaccessible, and are not used again
  std::size_t stranded_pages_ = 0;  // in these blocks
  std::size_t frontier_ =
      0; // the page from which on none was ever a block's; below it all but the gaps' are accessible
  bool huge_ = false;
  bool void_ = false; // the range is to be given back before anything else
};

} // namespace allot::inline ALLOT_ABI
