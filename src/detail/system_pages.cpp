#include <allot/detail/system_pages.hpp>

#if defined(__unix__) || defined(__APPLE__)

#include <atomic>
#include <bit>
#include <cerrno>
#include <charconv>

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

// Only the rest of a page's life is POSIX: each system has its own words for "no memory yet" and for "no longer needed".
#if !defined(MAP_ANONYMOUS) && defined(MAP_ANON)
#define MAP_ANONYMOUS MAP_ANON
#endif
#if !defined(MAP_NORESERVE)
#define MAP_NORESERVE 0
#endif

namespace allot::inline ALLOT_ABI::detail {
namespace {

/// The functions give errno away, and leave it as it was: `deallocate` calls them, and is no function that sets it.
template <class F>
int error_of(F call) noexcept {
  const int before = errno;
  const int error = call() ? 0 : errno;
  errno = before;
  return error;
}

void* map(std::byte* at, std::size_t bytes, int access, int flags) noexcept {
  return ::mmap(at, bytes, access, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | flags, -1, 0);
}

int reserve(std::byte*& begin, std::size_t bytes) noexcept {
  return error_of([&] {
    void* const p = map(nullptr, bytes, PROT_NONE, 0);
    if (p == MAP_FAILED) return false;
    begin = static_cast<std::byte*>(p);
    return true;
  });
}

int unreserve(std::byte* begin, std::size_t bytes) noexcept {
  return error_of([&] { return ::munmap(begin, bytes) == 0; });
}

int commit(std::byte* begin, std::size_t bytes) noexcept {
  return error_of([&] { return ::mprotect(begin, bytes, PROT_READ | PROT_WRITE) == 0; });
}

/// New pages in place of the old ones, and not mprotect: Linux keeps pages that once had memory as a mapping of its own, and
/// allows a program only so many.
int vacate(std::byte* begin, std::size_t bytes) noexcept {
  return error_of([&] { return map(begin, bytes, PROT_NONE, MAP_FIXED) != MAP_FAILED; });
}

int discard(std::byte* begin, std::size_t bytes) noexcept {
#if defined(__linux__)
  return error_of([&] { return ::madvise(begin, bytes, MADV_DONTNEED) == 0; });
#else
  // Elsewhere MADV_DONTNEED is but a hint.
  return error_of([&] { return map(begin, bytes, PROT_READ | PROT_WRITE, MAP_FIXED) != MAP_FAILED; });
#endif
}

int prefer_huge([[maybe_unused]] std::byte* begin, [[maybe_unused]] std::size_t bytes) noexcept {
#if defined(MADV_HUGEPAGE)
  return error_of([&] { return ::madvise(begin, bytes, MADV_HUGEPAGE) == 0; });
#else
  return ENOSYS;
#endif
}

/// By read, since a stream would allocate.
std::size_t read_huge_page_size() noexcept {
  std::size_t bytes = 0;
#if defined(__linux__)
  const int before = errno;
  const int file = ::open("/sys/kernel/mm/transparent_hugepage/hpage_pmd_size", O_RDONLY | O_CLOEXEC);
  if (file != -1) {
    char text[32];
    const auto length = ::read(file, text, sizeof text);
    if (length > 0) std::from_chars(text, text + length, bytes);
    ::close(file);
  }
  errno = before;
#endif
  return std::has_single_bit(bytes) && bytes > page_size() ? bytes : 0;
}

} // namespace

constinit page_calls system_pages{reserve, unreserve, commit, vacate, discard, prefer_huge};

std::size_t page_size() noexcept {
  static constinit std::atomic<std::size_t> known{0};
  std::size_t bytes = known.load(std::memory_order_relaxed);
  if (bytes == 0) {
    bytes = static_cast<std::size_t>(::sysconf(_SC_PAGESIZE));
    known.store(bytes, std::memory_order_relaxed);
  }
  return bytes;
}

std::size_t huge_page_size() noexcept {
  static constinit std::atomic<std::size_t> known{1}; // 1: not read yet
  std::size_t bytes = known.load(std::memory_order_relaxed);
  if (bytes == 1) {
    bytes = read_huge_page_size();
    known.store(bytes, std::memory_order_relaxed);
  }
  return bytes;
}

} // namespace allot::inline ALLOT_ABI::detail

#endif
