#include <cstdio>

volatile int temperature = 21;

int main() {
  char line[32];
  return std::snprintf(line, sizeof line, "%d", temperature) == 2 ? 0 : 1;
}
