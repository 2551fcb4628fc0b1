// Ends by a function that newlib or libstdc++ ends a program with, named by ENDS_BY: it has to come to the program's own trap.

#include <board/board.hpp>

#include <allot/core/failure.hpp>

#include <cstdlib>
#include <exception>

extern "C" {
void __cxa_pure_virtual();
void __cxa_deleted_virtual();

[[noreturn]] void allot_trap() noexcept {
  board::write("allot_trap\n");
  board::exit(3);
}
}

int main() { ENDS_BY(); }
