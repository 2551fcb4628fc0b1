// A program that uses allot and nothing else beside the standard library: tools/consumer_check builds it against an
// installed allot, and as a Meson project that has allot as a subproject.

#include <allot/arena/bump_resource.hpp>

#include <vector>

int main() {
  allot::bump_resource<1024> arena;
  std::pmr::vector<int> numbers({1, 2, 3}, &arena);
  return numbers.size() == 3 && arena.used() >= 3 * sizeof(int) ? 0 : 1;
}
