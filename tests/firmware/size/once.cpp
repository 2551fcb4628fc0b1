#include <allot/core/once.hpp>

namespace {

constinit allot::once<unsigned> settings;

} // namespace

int main() {
  return settings.call_once([] { return 7U; }) == *settings ? 0 : 1;
}
