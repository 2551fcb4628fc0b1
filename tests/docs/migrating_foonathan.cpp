// What docs/migrating.md shows of foonathan/memory.

#include "page.hpp"

#include <allot/allot.hpp>

#include <cstddef>
#include <cstdio>
#include <list>
#include <memory_resource>

#include <foonathan/memory/memory_pool.hpp>
#include <foonathan/memory/memory_stack.hpp>
#include <foonathan/memory/std_allocator.hpp>

using namespace allot::literals;

namespace {

void foonathan_before() {
  //! [foonathan_before]
  namespace memory = foonathan::memory;
  memory::memory_pool<> nodes{3 * sizeof(void*), 4096};
  std::list<int, memory::std_allocator<int, memory::memory_pool<>>> numbers{nodes}; // the pool is part of the type

  memory::memory_stack<> stack{4096};
  const auto top = stack.top();
  (void)stack.allocate(100, 8);
  stack.unwind(top);

  numbers.push_back(7);
  std::printf("%zu number\n", numbers.size());
  //! [foonathan_before]
}

void foonathan_after() {
  //! [foonathan_after]
  allot::malloc_resource heap;
  allot::block_pool_resource<3 * sizeof(void*), 8, allot::malloc_resource> nodes{heap};
  std::pmr::list<int> numbers{&nodes}; // any resource; a node too large for the pool is an error that says so

  allot::bump_resource<4_KiB> stack;
  {
    const allot::arena_scope top{stack};
    (void)stack.allocate(100, 8);
  }

  numbers.push_back(7);
  std::printf("%zu number\n", numbers.size());
  //! [foonathan_after]
}

} // namespace

int main(int argc, char** argv) {
  return page::run(argc, argv, {{{"foonathan_before", foonathan_before}, {"foonathan_after", foonathan_after}}});
}
