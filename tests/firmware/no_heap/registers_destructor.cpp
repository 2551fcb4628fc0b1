// A static with a destructor: its registration for exit is what __aeabi_atexit is called for.

#include <board/board.hpp>

namespace {

struct talks {
  ~talks() { board::write("destroyed\n"); }
};

talks& talker() {
  static talks it;
  return it;
}

} // namespace

int main() { return &talker() == nullptr ? 1 : 0; }
