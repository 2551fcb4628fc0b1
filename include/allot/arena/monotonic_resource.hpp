#pragma once

#include <allot/core/resource_interface.hpp>
#include <allot/core/upstream.hpp>
#include <allot/detail/chunked_bump.hpp>
#include <allot/detail/upstream_memory.hpp>

#include <concepts>
#include <cstddef>
#include <memory>
#include <memory_resource>
#include <span>

namespace allot::inline ALLOT_ABI {

/// Bumps through chunks that it takes from one upstream, twice as much each time, and gives back all at once. In place of
/// `std::pmr::monotonic_buffer_resource`: where no upstream is named it is std's default resource, read once, as there.
///
///     buffer -> chunk of 1 KiB -> 2 KiB -> 4 KiB ...     each filled from its end downwards
///
/// Guarantees
/// - `deallocate` does nothing. `release` gives each chunk back as it was taken, newest first, and starts anew in the buffer.
/// - `reset` keeps the chunks: a loop of the same requests makes no upstream call after its first turn. (With marks among
///   them a later turn may make one.)
/// - Where upstream refuses the doubled chunk, the least that fits the request is asked for, and a failure of that is
///   upstream's own exception or record. A failure changes nothing. A chunk that is not aligned as asked goes back unused.
/// - Free memory is poisoned for AddressSanitizer and Memcheck, and goes back clean.
/// - Not as in std: `do_allocate` cannot be overridden, and a buffer is filled from its end. Without exceptions the upstream
///   is one of allot's and has to be named: `monotonic_resource<>` does not compile.
///
/// Costs: 11 instructions through `memory_resource*` on x86-64, 4 where it is inlined; 152 bytes, and a footer of
/// four words a chunk.
/// Threads: one thread at a time. `upstream` must outlive it.
///
/// \snippet tests/arena/monotonic_resource_test.cpp example
template <class Upstream = std::pmr::memory_resource, std::size_t MinAlign = 1>
class monotonic_resource :
    public resource_interface<monotonic_resource<Upstream, MinAlign>>,
    private detail::chunked_bump {
  static_assert(detail::resource_type<Upstream>, "the upstream is a memory resource");
  static_assert(is_alignment(MinAlign) && MinAlign <= alignof(std::max_align_t),
                "the minimum alignment is a power of two that every chunk has");

public:
  static constexpr const char* class_name = "monotonic_resource";
  static constexpr bool owns_is_exact = true;

  /// True where the upstream may be left out.
  static constexpr bool has_default = std::same_as<Upstream, std::pmr::memory_resource>;

  using upstream_type = Upstream;
  using chunked_bump::mark_type;

  /// Over std's default resource of this moment.
  monotonic_resource() noexcept requires has_default : monotonic_resource{default_upstream()} {}

  /// \param initial_size  bytes that the first chunk has room for
  explicit monotonic_resource(std::size_t initial_size) noexcept requires has_default :
      monotonic_resource{initial_size, default_upstream()} {}

  /// \param buffer  is used first, and outlives the arena, which is its only user
  monotonic_resource(void* buffer, std::size_t size) noexcept requires has_default :
      monotonic_resource{buffer, size, default_upstream()} {}

  /// The size of a first chunk comes before its upstream. Here the resource itself would be the buffer, as it is in std.
  template <std::derived_from<std::pmr::memory_resource> Resource>
  monotonic_resource(Resource* upstream, std::size_t initial_size) = delete;

  /// \param upstream  not null
  explicit monotonic_resource(Upstream* upstream) noexcept requires detail::resource_type<Upstream> :
      monotonic_resource{std::span<std::byte>{}, default_room, upstream, nullptr} {}

  /// \param initial_size  bytes that the first chunk has room for
  /// \param upstream      not null
  monotonic_resource(std::size_t initial_size, Upstream* upstream) noexcept requires detail::resource_type<Upstream> :
      monotonic_resource{std::span<std::byte>{}, initial_size, upstream, nullptr} {}

  /// \param buffer    is used first, and outlives the arena, which is its only user
  /// \param upstream  not null
  monotonic_resource(void* buffer, std::size_t size,
                     Upstream* upstream) noexcept requires detail::resource_type<Upstream> :
      monotonic_resource{span_of(buffer, size), room_after(size), upstream, nullptr} {}

  /// \param name  for records and reports; static storage
  explicit monotonic_resource(Upstream& upstream,
                              const char* name = nullptr) noexcept requires detail::resource_type<Upstream> :
      monotonic_resource{std::span<std::byte>{}, default_room, std::addressof(upstream), name} {}

  /// \param initial_size  bytes that the first chunk has room for
  /// \param name          for records and reports; static storage
  monotonic_resource(std::size_t initial_size, Upstream& upstream,
                     const char* name = nullptr) noexcept requires detail::resource_type<Upstream> :
      monotonic_resource{std::span<std::byte>{}, initial_size, std::addressof(upstream), name} {}

  /// \param buffer  is used first, and outlives the arena, which is its only user
  /// \param name    for records and reports; static storage
  monotonic_resource(void* buffer, std::size_t size, Upstream& upstream,
                     const char* name = nullptr) noexcept requires detail::resource_type<Upstream> :
      monotonic_resource{span_of(buffer, size), room_after(size), std::addressof(upstream), name} {}

  ~monotonic_resource() override { release(); }

  /// The resource that chunks come from; never null.
  [[nodiscard]] Upstream* upstream_resource() const noexcept { return upstream_; }

  /// Gives all chunks back to the upstream; every block and every mark is void. The buffer is used again, and the next
  /// chunk has the size of the first one.
  void release() noexcept {
    for (detail::chunk_footer* chunk = this->remove_chunks(); chunk != nullptr;) {
      const layout taken{chunk->bytes(), chunk->alignment};
      std::byte* const memory = chunk->begin;
      chunk = chunk->older;
      detail::unpoison(memory, taken.bytes);
      upstream_->deallocate(memory, taken.bytes, taken.alignment);
    }
  }

  using chunked_bump::high_water;
  using chunked_bump::is_latest;
  using chunked_bump::mark;
  using chunked_bump::name;
  using chunked_bump::remaining;
  using chunked_bump::reserved;
  using chunked_bump::reset;
  using chunked_bump::rewind;
  using chunked_bump::used;

private:
  friend resource_interface<monotonic_resource>;

  static constexpr std::size_t default_room = 1024 - sizeof(detail::chunk_footer);

  monotonic_resource(std::span<std::byte> buffer, std::size_t first_room, Upstream* upstream, const char* name) noexcept
      : chunked_bump{buffer, first_room, MinAlign, name}, upstream_{upstream} {
    ALLOT_EXPECTS(upstream != nullptr);
  }

  static Upstream* default_upstream() noexcept {
    // The test is for clang 14, which compiles the constructors above where their constraint does not hold, too.
    if constexpr (has_default) return std::pmr::get_default_resource();
    return nullptr;
  }

  static std::span<std::byte> span_of(void* buffer, std::size_t size) noexcept {
    return {static_cast<std::byte*>(buffer), size};
  }

  /// The first chunk behind a buffer has room for twice the buffer, and 1 KiB at least.
  static constexpr std::size_t room_after(std::size_t buffer_size) noexcept {
    return buffer_size > default_room / 2 ? checked_multiply(buffer_size, 2).value_or(buffer_size) : default_room;
  }

  void* place(std::size_t bytes, std::size_t alignment) noexcept {
    const std::size_t mask = detail::negated(alignment);
    if (!step(bytes, mask)) [[unlikely]]
      return place_slow(bytes, mask);
    detail::unpoison(this->cursor_, bytes);
    return this->cursor_;
  }

  void* place_or_fail(std::size_t bytes, std::size_t alignment) {
    const std::size_t mask = detail::negated(alignment);
    if (!step(bytes, mask)) [[unlikely]]
      return place_or_fail_slow(bytes, mask);
    detail::unpoison(this->cursor_, bytes);
    return this->cursor_;
  }

  bool step(std::size_t bytes, std::size_t mask) noexcept {
    return detail::is_step(bytes) && detail::step_down<MinAlign>(this->cursor_, this->begin_, bytes, mask);
  }

  [[gnu::noinline, gnu::cold]] void* place_slow(std::size_t bytes, std::size_t mask) noexcept {
    const auto attempt = [this](const layout& chunk) noexcept { return detail::try_aligned_from(*upstream_, chunk); };
    return place_in_new(bytes, detail::negated(mask), attempt, attempt);
  }

  [[gnu::noinline, gnu::cold]] void* place_or_fail_slow(std::size_t bytes, std::size_t mask) {
    const std::size_t alignment = detail::negated(mask);
    const auto attempt = [this](const layout& chunk) { return detail::attempt_aligned_from(*upstream_, chunk); };
    const auto take = [this, bytes, alignment](const layout& chunk) {
      void* const memory = detail::aligned_from(*upstream_, chunk);
      if (memory == nullptr) fail_misaligned(bytes, alignment);
      return memory;
    };
    void* const p = place_in_new(bytes, alignment, attempt, take);
    if (p == nullptr) this->fail(bytes, alignment);
    return p;
  }

  /// Null where no chunk can be as large as the request needs, or where `last` gives null.
  template <class First, class Last>
  void* place_in_new(std::size_t bytes, std::size_t alignment, First first, Last last) {
    const std::size_t taken = bytes == 0 ? 1 : bytes; // a block of zero bytes is distinct
    const auto placed = [&] { return this->place_in_kept(taken, alignment); };
    if (!placed() && !(grow(this->plan_chunk(taken, alignment), first, last) && placed())) return nullptr;
    detail::unpoison(this->cursor_, bytes);
    return this->cursor_;
  }

  template <class First, class Last>
  bool grow(const detail::chunked_bump::chunk_plan& plan, First first, Last last) {
    if (plan.least == 0) return false;
    std::size_t size = plan.wanted;
    void* memory = size == plan.least ? nullptr : first(layout{size, plan.alignment});
    if (memory == nullptr) memory = last(layout{size = plan.least, plan.alignment});
    if (memory == nullptr) return false;
    this->add_chunk(memory, size, plan);
    return true;
  }

  [[noreturn]] void fail_misaligned(std::size_t bytes, std::size_t alignment) const {
    raise({.resource = class_name,
           .name = name(),
           .detail = "upstream gave a chunk that is not aligned as it was asked for",
           .bytes = bytes,
           .alignment = alignment,
           .used = used()});
  }

  void give_back(void* p, std::size_t bytes, std::size_t) noexcept { detail::poison(p, bytes); }

  [[nodiscard]] ownership holds(const void* p) const noexcept { return chunked_bump::holds(p); }

  Upstream* upstream_;
};

/// One over another is no copy.
template <std::derived_from<std::pmr::memory_resource> Upstream, std::size_t MinAlign>
monotonic_resource(monotonic_resource<Upstream, MinAlign>&)
    -> monotonic_resource<monotonic_resource<Upstream, MinAlign>>;
template <std::derived_from<std::pmr::memory_resource> Upstream, std::size_t MinAlign>
monotonic_resource(monotonic_resource<Upstream, MinAlign>&, const char*)
    -> monotonic_resource<monotonic_resource<Upstream, MinAlign>>;

} // namespace allot::inline ALLOT_ABI
