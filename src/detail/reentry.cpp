#include <allot/detail/reentry.hpp>

namespace allot::inline ALLOT_ABI::detail {

#if ALLOT_THREADS
constinit thread_local std::atomic<const reentry_mark*> reentry_mark::innermost_{nullptr};
#else
constinit std::atomic<const reentry_mark*> reentry_mark::innermost_{nullptr};
#endif

} // namespace allot::inline ALLOT_ABI::detail
