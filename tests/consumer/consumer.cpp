// A program that uses allot and nothing else beside the standard library: tools/consumer_check builds it against an
// installed allot, and as a Meson project that has allot as a subproject.

#include <allot/core/config.hpp>
#include <allot/core/failure.hpp>

int main() {
  allot::set_failure_handler(nullptr);
  return 0;
}
