#include <allot/core/claim_flag.hpp>
#include <allot/core/failure.hpp>

namespace allot::inline ALLOT_ABI {

void raise_already_claimed(const char* resource, const char* name, std::size_t capacity) {
  raise({.reason = failure_reason::already_claimed, .resource = resource, .name = name, .capacity = capacity});
}

} // namespace allot::inline ALLOT_ABI
