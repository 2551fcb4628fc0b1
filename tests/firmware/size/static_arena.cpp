#include <allot/arena/static_arena.hpp>

namespace {

constinit allot::static_arena<256> memory;

} // namespace

int main() { return memory.claim().allocate(32, 8) != nullptr ? 0 : 1; }
