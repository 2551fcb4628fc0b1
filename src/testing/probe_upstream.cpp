#include <allot/testing/probe_upstream.hpp>

namespace allot::inline ALLOT_ABI {

probe_upstream::~probe_upstream() {
  memory_.check();
  memory_.empty_quarantine();
  if (verdict_ == nullptr) return;
  *verdict_ = {.ended = true,
               .leaked_blocks = memory_.live_blocks(),
               .errors = memory_.errors(),
               .first_error = memory_.first_error()};
}

} // namespace allot::inline ALLOT_ABI
