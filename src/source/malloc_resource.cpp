#include <allot/core/once.hpp>
#include <allot/source/malloc_resource.hpp>

#ifdef __NEWLIB__
#include <malloc.h>
#endif

namespace allot::inline ALLOT_ABI {
namespace {

constinit once<malloc_resource> shared; // no guard variable, no destructor at exit

} // namespace

malloc_resource& malloc_resource::instance() noexcept {
  return shared.call_once([] { return malloc_resource{}; });
}

void* malloc_resource::place_over_aligned(std::size_t bytes, std::size_t alignment) noexcept {
  if (bytes > most - std::min(most, alignment)) return nullptr;
#if defined(__unix__) || defined(__APPLE__)
  void* p = nullptr;
  return ::posix_memalign(&p, alignment, std::max<std::size_t>(bytes, 1)) == 0 ? p : nullptr;
#elif defined(__NEWLIB__)
  // Its aligned_alloc needs a posix_memalign, and there is none.
  return memalign(alignment, std::max<std::size_t>(bytes, 1));
#else
  // C11 wants a multiple of the alignment.
  return std::aligned_alloc(alignment, align_down(std::max<std::size_t>(bytes, 1) + alignment - 1, alignment));
#endif
}

} // namespace allot::inline ALLOT_ABI
