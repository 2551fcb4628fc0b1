// The replaced operators new and delete. A block is malloc's own, with its size at its very end:
//
//     | bytes asked for | what malloc gives beyond | size, mixed with the address |
//     p                                                                           p + malloc_usable_size(p)
//
// At the end and not in front: the pointer is malloc's, so that any alignment is malloc's affair, leak checkers see the
// block referenced, and free takes it from a library that knows nothing of this. A block that is not the counter's has
// no such end, and is told by it.

#include <allot/core/expects.hpp>
#include <allot/core/failure.hpp>
#include <allot/core/layout.hpp>
#include <allot/detail/poison.hpp>
#include <allot/global/books.hpp>
#include <allot/global/counter.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <limits>
#include <new>

#include <malloc.h>

/// What a linker is asked for (`-u allot_global_counter`) to take the operators out of a static library, whether or not
/// anything else of the program calls for them before libstdc++ does.
extern "C" constinit const char allot_global_counter = 1;

namespace {

namespace global = allot::global;
using global::block_overhead;

constexpr std::size_t most = static_cast<std::size_t>(std::numeric_limits<std::ptrdiff_t>::max()) - block_overhead;

/// Out of line: where the compiler sees that malloc was asked for `bytes`, _FORTIFY_SOURCE=3 holds us to them, and the
/// size lies behind them. A malloc need not align a block by more than its size.
[[gnu::noinline]] void* take(std::size_t bytes, std::size_t alignment) noexcept {
  if (alignment <= alignof(std::max_align_t)) return std::malloc(std::max(bytes, alignment));
  void* p = nullptr;
  return posix_memalign(&p, alignment, bytes) == 0 ? p : nullptr;
}

/// A block of malloc's without its size belongs to none of the counter's: the address in it makes a copy of a block no
/// block.
std::size_t mixed(const void* p, std::size_t bytes) noexcept {
  constexpr auto odd = static_cast<std::size_t>(0x9e3779b97f4a7c15U);
  return bytes ^ (static_cast<std::size_t>(reinterpret_cast<std::uintptr_t>(p)) * odd);
}

/// True while this thread asks malloc for a block's size. What a malloc allocates to answer (tcmalloc does, the first time)
/// is not counted, and is none of the counter's when it comes back later.
[[gnu::tls_model("initial-exec")]] constinit thread_local bool asking = false;

std::size_t usable_size(void* p) noexcept {
  asking = true;
  const std::size_t usable = malloc_usable_size(p);
  asking = false;
  return usable;
}

std::byte* size_of(void* p, std::size_t usable) noexcept {
  return static_cast<std::byte*>(p) + usable - block_overhead;
}

void seal(void* p, std::size_t bytes) noexcept {
  const std::size_t usable = usable_size(p);
  const std::size_t size = mixed(p, bytes);
  std::memcpy(size_of(p, usable), &size, block_overhead);
#if ALLOT_ASAN
  allot::detail::poison(static_cast<std::byte*>(p) + bytes, usable - bytes); // an overrun by one byte is a report
#endif
}

/// Takes the size of a block off it. Where the block is not the counter's, leaves it as it is.
/// \return whether it was the counter's
bool unseal(void* p, std::size_t& bytes) noexcept {
  const std::size_t usable = usable_size(p);
  if (usable < block_overhead) return false;
  std::byte* const end = size_of(p, usable);
#if ALLOT_ASAN
  allot::detail::unpoison(end, block_overhead);
#endif
  std::memcpy(&bytes, end, block_overhead);
  bytes = mixed(p, bytes);
  if (bytes > usable - block_overhead) return false;
  std::memset(end, 0, block_overhead); // whoever has the block next, by malloc, must not find it sealed
  return true;
}

/// A new-handler may throw: the books are closed on the way out.
struct request {
  std::size_t bytes;
  void* block = nullptr;

  ~request() {
    if (block != nullptr) {
      global::detail::allocated(bytes);
    } else {
      global::detail::failed();
    }
  }
};

bool called_new_handler() {
  const std::new_handler handler = std::get_new_handler();
  if (handler == nullptr) return false;
  handler();
  return true;
}

/// \return null where there is no memory, and no new-handler to ask for more
/// \throws what a new-handler throws
void* serve(std::size_t bytes, std::size_t alignment) {
  ALLOT_EXPECTS(allot::is_alignment(alignment));
  if (asking) [[unlikely]]
    return take(bytes, alignment);
  global::detail::requested(bytes, alignment);
  request r{.bytes = bytes};
  do
    r.block = bytes <= most ? take(bytes + block_overhead, alignment) : nullptr;
  while (r.block == nullptr && called_new_handler());
  if (r.block != nullptr) seal(r.block, bytes);
  return r.block;
}

void* allocate(std::size_t bytes, std::size_t alignment = alignof(std::max_align_t)) {
  if (void* const p = serve(bytes, alignment)) return p;
  allot::raise({.resource = "operator new", .bytes = bytes, .alignment = alignment});
}

void* allocate(std::size_t bytes, std::align_val_t alignment) {
  return allocate(bytes, static_cast<std::size_t>(alignment));
}

void* try_allocate(std::size_t bytes, std::size_t alignment = alignof(std::max_align_t)) noexcept {
#if ALLOT_EXCEPTIONS
  try {
    return serve(bytes, alignment);
  } catch (const std::bad_alloc&) {
    return nullptr;
  }
#else
  return serve(bytes, alignment);
#endif
}

void* try_allocate(std::size_t bytes, std::align_val_t alignment) noexcept {
  return try_allocate(bytes, static_cast<std::size_t>(alignment));
}

void count_back(void* p) noexcept {
  std::size_t bytes = 0;
  if (unseal(p, bytes)) {
    global::detail::deallocating(bytes);
  } else {
    global::detail::deallocating_foreign();
  }
}

void deallocate(void* p) noexcept {
  if (p == nullptr) return;
  if (!asking) [[likely]]
    count_back(p);
  std::free(p);
}

} // namespace

using std::align_val_t;
using std::nothrow_t;
using std::size_t;

void* operator new(size_t n) { return allocate(n); }
void* operator new[](size_t n) { return allocate(n); }
void* operator new(size_t n, align_val_t a) { return allocate(n, a); }
void* operator new[](size_t n, align_val_t a) { return allocate(n, a); }
void* operator new(size_t n, const nothrow_t&) noexcept { return try_allocate(n); }
void* operator new[](size_t n, const nothrow_t&) noexcept { return try_allocate(n); }
void* operator new(size_t n, align_val_t a, const nothrow_t&) noexcept { return try_allocate(n, a); }
void* operator new[](size_t n, align_val_t a, const nothrow_t&) noexcept { return try_allocate(n, a); }

void operator delete(void* p) noexcept { deallocate(p); }
void operator delete[](void* p) noexcept { deallocate(p); }
void operator delete(void* p, size_t) noexcept { deallocate(p); }
void operator delete[](void* p, size_t) noexcept { deallocate(p); }
void operator delete(void* p, align_val_t) noexcept { deallocate(p); }
void operator delete[](void* p, align_val_t) noexcept { deallocate(p); }
void operator delete(void* p, size_t, align_val_t) noexcept { deallocate(p); }
void operator delete[](void* p, size_t, align_val_t) noexcept { deallocate(p); }
void operator delete(void* p, const nothrow_t&) noexcept { deallocate(p); }
void operator delete[](void* p, const nothrow_t&) noexcept { deallocate(p); }
void operator delete(void* p, align_val_t, const nothrow_t&) noexcept { deallocate(p); }
void operator delete[](void* p, align_val_t, const nothrow_t&) noexcept { deallocate(p); }
