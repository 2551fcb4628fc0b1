// Counts the calls of malloc and its kin: as a library for LD_PRELOAD, under a program that knows nothing of it, or linked
// into a program. glibc only: the calls go on to its __libc_ names. Not beside a sanitizer, which brings a malloc of its own.
//
// ALLOT_MALLOC_COUNTS=FILE LD_PRELOAD=liballot_malloc_counter.so PROGRAM keeps the counts in FILE: eight numbers of 64 bits
// in the machine's order, as in `malloc_counts`. Another process may read them there at any time; what happened in
// between is the difference of two readings. Without the variable, they are in memory. A child made by fork counts into
// the same file. malloc's own calls before this library's constructor (the dynamic linker's, libstdc++'s exception pool)
// are in it.

#include "support/malloc_counter.hpp"

#include <atomic>
#include <cerrno>
#include <cstddef>
#include <cstdlib>
#include <cstring>
#include <initializer_list>

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

extern "C" {
void* __libc_malloc(std::size_t);
void* __libc_calloc(std::size_t, std::size_t);
void* __libc_realloc(void*, std::size_t);
void* __libc_memalign(std::size_t, std::size_t);
void __libc_free(void*);
}

namespace {

using support::malloc_counts;
using counter = std::atomic<std::uint64_t>;

struct shared_counts {
  counter malloc{0};
  counter calloc{0};
  counter realloc{0};
  counter aligned_alloc{0};
  counter posix_memalign{0};
  counter memalign{0};
  counter free{0};
  counter bytes{0};
};

static_assert(sizeof(shared_counts) == sizeof(malloc_counts) && counter::is_always_lock_free);

constinit shared_counts in_memory;
constinit std::atomic<shared_counts*> counts{&in_memory};

void count(counter shared_counts::*function, std::size_t bytes) noexcept {
  shared_counts& now = *counts.load(std::memory_order_acquire);
  (now.*function).fetch_add(1, std::memory_order_relaxed);
  now.bytes.fetch_add(bytes, std::memory_order_relaxed);
}

[[noreturn]] void give_up(const char* what) noexcept {
  const char* const why = std::strerror(errno);
  for (const char* part : {"malloc_counter: ", what, ": ", why, "\n"})
    (void)!write(STDERR_FILENO, part, std::strlen(part));
  _exit(127);
}

/// Moves the counts to the file. No thread but this one runs yet.
[[gnu::constructor]] void share() noexcept {
  const char* const path = std::getenv("ALLOT_MALLOC_COUNTS");
  if (path == nullptr) return;
  const int file = open(path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
  if (file == -1) give_up(path);
  if (ftruncate(file, sizeof(shared_counts)) != 0) give_up(path);
  void* const page = mmap(nullptr, sizeof(shared_counts), PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
  if (page == MAP_FAILED) give_up(path);
  close(file);
  std::memcpy(page, &in_memory, sizeof in_memory);
  counts.store(static_cast<shared_counts*>(page), std::memory_order_release);
}

} // namespace

malloc_counts support::read_malloc_counts() noexcept {
  const shared_counts& now = *counts.load(std::memory_order_acquire);
  return {.malloc = now.malloc.load(),
          .calloc = now.calloc.load(),
          .realloc = now.realloc.load(),
          .aligned_alloc = now.aligned_alloc.load(),
          .posix_memalign = now.posix_memalign.load(),
          .memalign = now.memalign.load(),
          .free = now.free.load(),
          .bytes = now.bytes.load()};
}

extern "C" {

void* malloc(std::size_t bytes) noexcept {
  count(&shared_counts::malloc, bytes);
  return __libc_malloc(bytes);
}

void* calloc(std::size_t many, std::size_t bytes) noexcept {
  count(&shared_counts::calloc, many * bytes);
  return __libc_calloc(many, bytes);
}

void* realloc(void* p, std::size_t bytes) noexcept {
  count(&shared_counts::realloc, bytes);
  return __libc_realloc(p, bytes);
}

void* aligned_alloc(std::size_t alignment, std::size_t bytes) noexcept {
  count(&shared_counts::aligned_alloc, bytes);
  return __libc_memalign(alignment, bytes);
}

void* memalign(std::size_t alignment, std::size_t bytes) noexcept {
  count(&shared_counts::memalign, bytes);
  return __libc_memalign(alignment, bytes);
}

int posix_memalign(void** p, std::size_t alignment, std::size_t bytes) noexcept {
  count(&shared_counts::posix_memalign, bytes);
  if (alignment % sizeof(void*) != 0 || alignment == 0 || (alignment & (alignment - 1)) != 0) return EINVAL;
  void* const block = __libc_memalign(alignment, bytes);
  if (block == nullptr) return ENOMEM;
  *p = block;
  return 0;
}

void free(void* p) noexcept {
  if (p != nullptr) count(&shared_counts::free, 0);
  __libc_free(p);
}
}
