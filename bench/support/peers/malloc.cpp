// malloc and free: whichever the process has, so that another one can be measured by LD_PRELOAD.

#include "support/peer_of.hpp"

#include <cstddef>
#include <cstdlib>
#include <vector>

#ifdef __GLIBC__
#include <gnu/libc-version.h>
#endif

namespace {

class direct {
public:
  static void* allocate(std::size_t bytes, std::size_t) { return std::malloc(bytes); }
  static void deallocate(void* p, std::size_t, std::size_t) noexcept { std::free(p); }
};

/// As an arena: frees block by block, which is the whole difference. It is told when to.
class freed_at_reset {
public:
  freed_at_reset() = default;
  freed_at_reset(const freed_at_reset&) = delete;
  freed_at_reset& operator=(const freed_at_reset&) = delete;
  ~freed_at_reset() { reset(); }

  void* allocate(std::size_t bytes, std::size_t) {
    live_.push_back(std::malloc(bytes));
    return live_.back();
  }
  static void deallocate(void*, std::size_t, std::size_t) noexcept {}
  void reset() noexcept {
    for (void* const p : live_)
      std::free(p);
    live_.clear();
  }

private:
  std::vector<void*> live_;
};

auto make_direct(const bench::setting&) { return direct{}; }
auto make_freed_at_reset(const bench::setting&) { return freed_at_reset{}; }

#ifdef __GLIBC__
const char* version() { return gnu_get_libc_version(); }
#else
const char* version() { return "unknown"; }
#endif

using enum bench::part;
const bench::library here{"malloc",
                          version(),
                          {bench::peer_without_upstream<arena, make_freed_at_reset>(),
                           bench::peer_without_upstream<growing, make_freed_at_reset>(),
                           bench::peer_without_upstream<block_pool, make_direct>(),
                           bench::peer_without_upstream<pool, make_direct>(),
                           bench::peer_without_upstream<shared_pool, make_direct>()}};

} // namespace
