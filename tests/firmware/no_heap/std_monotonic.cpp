// std's own arena: libstdc++'s object for it takes the place of the default resource that allot_no_heap has.

#include <cstddef>
#include <memory_resource>
#include <vector>

namespace {

alignas(8) std::byte memory[64];
volatile unsigned last = 7;

} // namespace

int main() {
  std::pmr::monotonic_buffer_resource arena{memory, sizeof memory, std::pmr::null_memory_resource()};
  std::pmr::vector<unsigned> all{&arena};
  all.push_back(unsigned{last});
  return all.front() == 7 ? 0 : 1;
}
