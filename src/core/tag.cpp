#include <allot/core/tag.hpp>

namespace allot::inline ALLOT_ABI {

constinit thread_local const tag_scope* tag_scope::innermost_ = nullptr;

} // namespace allot::inline ALLOT_ABI
