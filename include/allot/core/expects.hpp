#pragma once

#include <allot/core/config.hpp>

namespace allot::inline ALLOT_ABI {

/// Where a broken precondition ends: the failure handler, then abort. Called by `ALLOT_EXPECTS`.
/// \param condition  the text of the condition; static storage
/// \param where      "file:line"; static storage
[[noreturn]] void precondition_violated(const char* condition, const char* where) noexcept;

} // namespace allot::inline ALLOT_ABI

#define ALLOT_DETAIL_TEXT(x) #x
#define ALLOT_DETAIL_LINE(x) ALLOT_DETAIL_TEXT(x)

/// States what a caller has promised. At check level 1 a false condition ends the program with a record that names it; at
/// level 0 it is not evaluated.
#if ALLOT_CHECK_LEVEL > 0
#define ALLOT_EXPECTS(...)                                                                                             \
  (static_cast<bool>(__VA_ARGS__)                                                                                      \
       ? static_cast<void>(0)                                                                                          \
       : ::allot::precondition_violated(#__VA_ARGS__, __FILE__ ":" ALLOT_DETAIL_LINE(__LINE__)))
#else
#define ALLOT_EXPECTS(...) static_cast<void>(sizeof(static_cast<bool>(__VA_ARGS__)))
#endif
