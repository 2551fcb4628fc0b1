#include <allot/core/failure.hpp>

namespace {

constinit char line[100] = {};

void handle(const allot::failure& what) noexcept { allot::describe(what, line); }

} // namespace

int main() {
  allot::set_failure_handler(handle);
  allot::get_failure_handler()({.resource = "stack", .bytes = 32, .alignment = 8});
  return line[0] == 'a' ? 0 : 1;
}
