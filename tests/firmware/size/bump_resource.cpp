#include <allot/arena/bump_resource.hpp>

int main() {
  allot::bump_resource<256> arena;
  return arena.allocate(32, 8) != nullptr ? 0 : 1;
}
