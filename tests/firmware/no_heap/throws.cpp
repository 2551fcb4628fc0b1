// Compiled with exceptions.

#include <stdexcept>

volatile bool failed = true;

int main() {
  if (failed) throw std::length_error("too long");
  return 0;
}
