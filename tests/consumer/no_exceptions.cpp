// Built with -fno-exceptions -fno-rtti against an allot that was built so: a failure goes to the handler, but
// not one of try_allocate.
#include <allot/arena/bump_resource.hpp>
#include <allot/core/failure.hpp>

#include <cstdio>
#include <cstdlib>
#include <memory_resource>
#include <vector>

int main() {
  allot::bump_resource<64> arena;
  std::pmr::vector<int> numbers({1, 2, 3}, &arena);
  if (numbers.size() != 3 || arena.try_allocate(100, 1) != nullptr) return 1;
  allot::set_failure_handler([](const allot::failure& record) noexcept { std::_Exit(record.bytes == 100 ? 0 : 1); });
  (void)arena.allocate(100, 1);
  return 1;
}
