// What docs/testing.md shows of the global counter, which has to be linked.

#include "page.hpp"

#include <allot/adaptor/counting_snapshot.hpp>
#include <allot/global/counter.hpp>
#include <allot/global/no_allocation_scope.hpp>
#include <allot/global/thread_region.hpp>

#include <cstdio>
#include <string>

namespace {

void whole_program() {
  //! [whole_program]
  std::string text; // std::allocator: no resource sees it
  const auto cost = allot::global::measure([&] {
    text.assign(100, '-');
    text.append(100, '-');
  });
  std::printf("%zu allocations, %zu bytes in all\n", cost.allocations, cost.total_bytes);

  std::string line(100, '-');
  const allot::global::no_allocation_scope quiet{"audio callback"}; // aborts at the first one in this thread
  line.append(100, '!');
  //! [whole_program]
}

} // namespace

int main(int argc, char** argv) {
  return page::run(argc, argv, {{{"whole_program", whole_program, page::ends::by_abort}}});
}
