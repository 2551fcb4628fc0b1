#include <allot/core/tag.hpp>

namespace allot::inline ALLOT_ABI {

constinit ALLOT_DETAIL_THREAD_LOCAL const tag_scope* tag_scope::innermost_ = nullptr;

} // namespace allot::inline ALLOT_ABI
