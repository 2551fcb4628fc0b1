// The trap of docs/faq.md that libstdc++ itself finds, compiled with its assertions. Without them it is undefined.

#include "page.hpp"

#include <allot/allot.hpp>

#include <memory_resource>
#include <vector>

using namespace allot::literals;

namespace {

void swapped() {
  //! [swapped]
  allot::bump_resource<4_KiB> one, other;
  std::pmr::vector<int> left(10, 1, &one);
  std::pmr::vector<int> right(10, 2, &other);
  left.swap(right);
  //! [swapped]
}

} // namespace

int main(int argc, char** argv) { return page::run(argc, argv, {{{"swapped", swapped, page::ends::by_abort}}}); }
