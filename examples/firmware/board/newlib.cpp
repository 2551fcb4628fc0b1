// What newlib asks of a system, for the tests that use printf or a heap. Firmware on allot links none of it.

#include "board.hpp"

#include <cerrno>
#include <cstddef>

#include <sys/stat.h>

extern "C" {

extern std::byte board_heap_begin[], board_heap_end[];

int _close(int);
int _fstat(int, struct stat*);
int _getpid();
int _isatty(int);
int _kill(int, int);
int _lseek(int, int, int);
int _read(int, char*, int);
void* _sbrk(std::ptrdiff_t);
int _write(int, const char*, int);
[[noreturn]] void _exit(int);

int _close(int) { return -1; }
int _fstat(int, struct stat* status) {
  status->st_mode = S_IFCHR;
  return 0;
}
int _getpid() { return 1; }
int _isatty(int) { return 1; }
int _kill(int, int) { board::exit(board::exit_of_a_fault); }
int _lseek(int, int, int) { return 0; }
int _read(int, char*, int) { return 0; }
int _write(int, const char* text, int size) {
  board::write({text, static_cast<std::size_t>(size)});
  return size;
}
void _exit(int status) { board::exit(status); }

// The heap grows from behind .bss to where the stack's room begins.
void* _sbrk(std::ptrdiff_t bytes) {
  static std::byte* end = board_heap_begin;
  if (bytes > board_heap_end - end) {
    errno = ENOMEM;
    return reinterpret_cast<void*>(-1);
  }
  std::byte* const begin = end;
  end += bytes;
  return begin;
}
}
