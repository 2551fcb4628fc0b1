#include <allot/testing/allocation_failure_loop.hpp>

namespace allot::inline ALLOT_ABI::detail {

void note_faults(failure_loop_result& result, checking_resource* memory, std::size_t known) noexcept {
  if (memory == nullptr) return;
  memory->check();
  if (memory->errors() == known) return;
  char text[200] = "";
  if (const auto last = memory->last_error()) describe(*last, text);
  if (result.runs == 0) return note_problem(result, "before the first run: {}", text);
  note_problem(result, "in run {}: {}", result.runs, text);
}

} // namespace allot::inline ALLOT_ABI::detail
