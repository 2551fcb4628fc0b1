#include "refusal.hpp"

#include "plain_new.hpp"

namespace service {

refusal refusal_for(const allot::failure& record, const tenant& whose) noexcept {
  const std::string_view name = record.name == nullptr ? "" : record.name;
  refusal made{.asked_bytes = record.bytes, .used_bytes = record.used, .limit_bytes = record.capacity};
  if (std::string_view{record.resource} == plain_new::class_name) return refusal_by_system();
  if (record.reason != allot::failure_reason::budget_exceeded) {
    made.error = "the static arenas are all in use";
    made.level = "arenas";
  } else if (name == request_level_name) {
    made.status = 413;
    made.error = "the request needs more memory than one request may have";
    made.level = "request";
  } else if (record.name == whose.level->name()) {
    made.status = 429;
    made.error = "the tenant's requests in flight use up its budget";
    made.level = "tenant";
    made.tenant = whose.id;
  } else {
    made.error = "the requests in flight use up the budget of the process";
    made.level = "process";
  }
  return made;
}

refusal refusal_by_system() noexcept { return {.error = "the system has no memory left", .level = "system"}; }

refusal refusal_of_page() noexcept {
  return {.error = "the memory for pages is all in use",
          .level = "pages",
          .asked_bytes = page_bytes,
          .used_bytes = page_pool::bytes,
          .limit_bytes = page_pool::bytes};
}

} // namespace service
