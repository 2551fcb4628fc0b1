#include <allot/testing/allocation_failure_loop.hpp>

#include <cstdarg>
#include <cstdio>

namespace allot::inline ALLOT_ABI::detail {

void note_problem(failure_loop_result& result, const char* format, ...) noexcept {
  if (++result.problems != 1) return;
  std::va_list values;
  va_start(values, format);
  std::vsnprintf(result.first_problem, sizeof result.first_problem, format, values);
  va_end(values);
}

void note_faults(failure_loop_result& result, checking_resource* memory, std::size_t known) noexcept {
  if (memory == nullptr) return;
  memory->check();
  if (memory->errors() == known) return;
  char text[200] = "";
  if (const auto last = memory->last_error()) describe(*last, text);
  if (result.runs == 0) return note_problem(result, "before the first run: %s", text);
  note_problem(result, "in run %zu: %s", result.runs, text);
}

} // namespace allot::inline ALLOT_ABI::detail
