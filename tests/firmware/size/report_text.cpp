#include <allot/arena/static_arena.hpp>
#include <allot/report/text.hpp>

namespace {

constinit allot::static_arena<256> memory;

} // namespace

int main() {
  char line[200];
  return allot::report::text(memory.claim("samples"), line).written != 0 ? 0 : 1;
}
