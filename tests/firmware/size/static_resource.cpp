#include <allot/source/static_resource.hpp>

namespace {

constinit allot::static_buffer<256> memory;

} // namespace

int main() {
  allot::static_resource once{memory};
  return once.allocate(256, 8) != nullptr && once.is_claimed() ? 0 : 1;
}
