"""malloc_resource in a program with another malloc, one that aligns small blocks to 8 as jemalloc and tcmalloc do."""

import pathlib
import sys
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "support"))
from compiling import ROOT, output_of, with_each_compiler  # noqa: E402

PROGRAM = """
#include <allot/source/malloc_resource.hpp>
#include <cstdint>
#include <cstdio>

alignas(16) static unsigned char heap[1 << 20];
static std::size_t used = 0, calls = 0;

extern "C" void* malloc(std::size_t bytes) noexcept {
  ++calls;
  if (bytes > sizeof heap / 2 - used) return nullptr;
  used = (used + 15) / 16 * 16 + (bytes < 16 ? 8 : 0); // at a multiple of 8 and not of 16, or of 16
  void* const p = heap + used;
  used += bytes < 8 ? 8 : bytes;
  return p;
}
extern "C" void free(void*) noexcept {}

int main() {
  static allot::malloc_resource r;
  for (std::size_t alignment = 1; alignment <= 16; alignment *= 2)
    for (std::size_t bytes = 0; bytes <= 32; ++bytes) {
      const auto p = reinterpret_cast<std::uintptr_t>(r.try_allocate(bytes, alignment));
      if (p == 0 || p % alignment != 0) return std::printf("%zu bytes, not aligned to %zu", bytes, alignment), 1;
    }
  calls = 0;
  for (std::size_t alignment = 1; alignment <= 16; alignment *= 2)
    if (r.try_allocate(SIZE_MAX, alignment) != nullptr || r.try_allocate(SIZE_MAX / 2 + 1, alignment) != nullptr) return 1;
  if (calls != 0) return std::printf("malloc was asked for more than PTRDIFF_MAX bytes"), 1;
  return 0;
}
"""

LIBRARY = [ROOT / "src" / file for file in ("source/malloc_resource.cpp", "core/once.cpp", "core/failure.cpp")]


class ReplacedMalloc(unittest.TestCase):
    @with_each_compiler
    def test_any_malloc_will_do_and_none_is_asked_for_what_cannot_be(self, compiler):
        self.assertEqual(output_of(compiler, PROGRAM, sources=LIBRARY), (0, ""))


if __name__ == "__main__":
    unittest.main()
