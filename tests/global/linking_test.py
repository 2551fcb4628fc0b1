#!/usr/bin/env python3
"""The global counter in programs that are linked in all the ways that a static library of operators might get lost."""

import pathlib
import re
import shutil
import sys
import tempfile
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "support"))
from compiling import INCLUDE, ROOT, compilers, run  # noqa: E402

COUNTER = [*sorted((ROOT / "src/global").glob("*.cpp")), ROOT / "src/core/failure.cpp"]
OTHER_MALLOCS = [found for name in ("jemalloc.so.2", "tcmalloc_minimal.so.4", "mimalloc.so.2")
                 for found in sorted(pathlib.Path("/usr/lib").glob(f"*/lib{name}*"))[:1]]

# Prints what is known at the beginning of main, and, after all else was destroyed, what is still live.
ASKS = """
#include <allot/global/counter.hpp>
#include <cstdio>
#include <dlfcn.h>
#include <new>

namespace global = allot::global;

struct early {
  void* block = ::operator new(5000);
  ~early() {
    ::operator delete(block);
    std::printf("live at the end: %zu, given out: %zu\\n", global::snapshot().live_bytes, global::snapshot().total_bytes);
  }
} const object;

int main(int, char** arguments) {
  const auto before = global::before_main();
  std::printf("before main: %zu, whole: %d\\n", before.live_bytes, global::before_main_is_whole());
  std::printf("counting: %d\\n", global::is_counting());
#ifdef WITH_PLUGIN
  void* const plugin = dlopen(arguments[1], RTLD_NOW | RTLD_LOCAL);
  if (plugin == nullptr) return std::puts(dlerror()), 1;
  const auto start = global::snapshot();
  reinterpret_cast<void (*)()>(dlsym(plugin, "allocate"))();
  std::printf("plugin: %zu\\n", (global::snapshot() - start).total_bytes);
#else
  (void)arguments;
#endif
}
"""
AS_EXPECTED = "before main: 5000, whole: 1\ncounting: 1\nlive at the end: 0, given out: 5001\n"

PLUGIN = """
#include <new>
extern "C" void allocate() {
  void* volatile p = ::operator new(321);
  ::operator delete(p);
}
"""

# A malloc that allocates by operator new to say how large a block is.
ASKS_BACK = """
#include <cstddef>
#include <dlfcn.h>
#include <new>
extern "C" std::size_t malloc_usable_size(void* p) noexcept {
  void* volatile q = ::operator new(16);
  ::operator delete(q);
  static const auto next = reinterpret_cast<std::size_t (*)(void*)>(dlsym(RTLD_NEXT, "malloc_usable_size"));
  return next(p);
}
"""

# A malloc that aligns blocks of up to 8 bytes by 8, as jemalloc, tcmalloc and mimalloc do.
ALIGNS_LITTLE = """
#include <cstddef>
extern "C" void* __libc_malloc(std::size_t);
extern "C" void __libc_free(void*);
struct small { alignas(16) char none[8]; char block[8]; };
static small pool[100];
static int taken = 0;
static bool is_small(void* p) { return p >= static_cast<void*>(pool) && p < static_cast<void*>(pool + 100); }
extern "C" void* malloc(std::size_t n) noexcept { return n <= 8 ? pool[taken++].block : __libc_malloc(n); }
extern "C" void free(void* p) noexcept { if (!is_small(p)) __libc_free(p); }
"""
ASKS_FOR_NOTHING_ALIGNED = """
#include <cstdint>
#include <cstdio>
#include <new>
int main() {
  void* volatile p = ::operator new(0, std::align_val_t{16});
  const bool is_aligned = reinterpret_cast<std::uintptr_t>(p) % 16 == 0;
  ::operator delete(p, std::align_val_t{16});
  std::puts(is_aligned ? "aligned" : "not aligned");
}
"""

# Names neither allot nor operator new.
ASKS_NOTHING = "int main() {}\n"
LATE = "int f(); const int late = f(); int f() { return 1; }\n"


class Linking(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.scratch = tempfile.TemporaryDirectory()
        cls.addClassCleanup(cls.scratch.cleanup)
        cls.compiler = [*compilers()[0], "-std=c++20", f"-I{INCLUDE}"]
        cls.folder = pathlib.Path(cls.scratch.name)
        objects = [cls.compiled(source, "-fPIC", name=source.stem) for source in COUNTER]
        cls.library = cls.folder / "liballot_global_counter.a"
        cls.succeed("ar", "rcs", cls.library, *objects)
        cls.asks = cls.compiled_text("asks", ASKS)

    @classmethod
    def succeed(cls, *command):
        status, output = run(*command)
        if status != 0:
            raise AssertionError(f"{' '.join(map(str, command))}\n{output}")
        return output

    @classmethod
    def compiled(cls, source, *flags, name):
        target = cls.folder / f"{name}.o"
        cls.succeed(*cls.compiler, *flags, "-c", source, "-o", target)
        return target

    @classmethod
    def compiled_text(cls, name, text, *flags):
        source = cls.folder / f"{name}.cpp"
        source.write_text(text, encoding="utf-8")
        return cls.compiled(source, *flags, name=name)

    def linked(self, *words):
        program = self.folder / "program"
        self.succeed(*self.compiler, *words, "-o", program)
        return program

    def symbols(self, file):
        return [line.split()[-2:] for line in self.succeed("nm", file).splitlines() if line.split()[-2:]]

    def operators_of(self, file):
        return {name for kind, name in self.symbols(file)
                if kind == "T" and name.startswith(("_Znw", "_Zna", "_Zdl", "_Zda"))}

    def test_replaces_every_form_of_operator_new_and_delete(self):
        plain, array = ("m", "mRKSt9nothrow_t", "mSt11align_val_t", "mSt11align_val_tRKSt9nothrow_t"), \
            ("Pv", "Pvm", "PvRKSt9nothrow_t", "PvSt11align_val_t", "PvmSt11align_val_t", "PvSt11align_val_tRKSt9nothrow_t")
        wanted = {prefix + form for prefix in ("_Znw", "_Zna") for form in plain} | \
            {prefix + form for prefix in ("_Zdl", "_Zda") for form in array}
        self.assertEqual(self.operators_of(self.folder / "operators.o"), wanted)

    def test_works_wherever_it_stands_on_the_link_line(self):
        for words in ([self.asks, self.library], [self.asks, "-lstdc++", self.library],
                      ["-Wl,--as-needed", self.asks, "-lstdc++", self.library],
                      [self.asks, "-Wl,--whole-archive", self.library, "-Wl,--no-whole-archive"],
                      ["-Wl,--gc-sections", self.asks, self.library], ["-no-pie", self.asks, self.library]):
            with self.subTest(words=words):
                self.assertEqual(self.succeed(self.linked(*words)), AS_EXPECTED)

    def test_works_where_initialisers_come_after_its_own_and_says_that_they_do(self):
        late = self.compiled_text("late", LATE)
        nothing = self.compiled_text("nothing", ASKS_NOTHING)
        for words in ([self.asks, self.library, late],
                      ["-Wl,-u,allot_global_counter", self.library, "-lstdc++", self.asks],
                      ["-static-libstdc++", self.asks, self.library],  # brings those of libstdc++
                      ["-static", self.asks, self.library]):
            if words[0] == "-static" and run(*self.compiler, "-static", nothing, "-o", self.folder / "static")[0] != 0:
                continue
            with self.subTest(words=words):
                output = self.succeed(self.linked(*words))
                self.assertRegex(output, "before main: (0|5000), whole: 0\ncounting: 1\nlive at the end: 0, given out: 5001\n")

    def test_with_u_it_is_in_a_program_that_calls_for_none_of_it(self):
        nothing = self.compiled_text("nothing", ASKS_NOTHING)
        for words in ([nothing, "-Wl,-u,allot_global_counter", self.library],
                      ["-Wl,-u,allot_global_counter", self.library, nothing]):
            self.assertEqual(len(self.operators_of(self.linked(*words))), 20)
        self.assertEqual(self.operators_of(self.linked(nothing)), set())

    def test_sees_what_a_library_loaded_later_allocates(self):
        plugin = self.folder / "plugin.so"
        self.succeed(*self.compiler, "-shared", "-fPIC", self.compiled_text("plugin", PLUGIN, "-fPIC"), "-o", plugin)
        program = self.linked(self.compiled_text("loads", ASKS, "-DWITH_PLUGIN"), self.library)
        self.assertIn("plugin: 321\n", self.succeed(program, plugin))

    def test_works_with_fortified_calls_and_optimisation(self):
        words = ["-O2", "-U_FORTIFY_SOURCE", "-D_FORTIFY_SOURCE=3", self.folder / "asks.cpp", *COUNTER]
        self.assertEqual(self.succeed(self.linked(*words)), AS_EXPECTED)

    @unittest.skipUnless(shutil.which("valgrind"), "no valgrind")
    def test_under_memcheck_it_counts_when_told_to_and_says_so_when_it_cannot(self):
        program = self.linked("-g", self.asks, self.library)
        memcheck = ["valgrind", "-q", "--error-exitcode=99", "--leak-check=full"]
        theirs = self.succeed(*memcheck, program)
        self.assertIn("counting: 0\n", theirs)
        ours = self.succeed(*memcheck, "--soname-synonyms=somalloc=nouserintercepts", program)
        self.assertEqual(ours, AS_EXPECTED)

    def test_a_malloc_may_allocate_while_it_is_asked_for_a_size(self):
        program = self.linked(self.asks, self.compiled_text("asks_back", ASKS_BACK), self.library)
        self.assertEqual(self.succeed(program), AS_EXPECTED)

    def test_a_malloc_may_align_a_block_by_no_more_than_its_size(self):
        program = self.linked(self.compiled_text("nothing_aligned", ASKS_FOR_NOTHING_ALIGNED),
                              self.compiled_text("aligns_little", ALIGNS_LITTLE), self.library)
        self.assertEqual(self.succeed(program), "aligned\n")

    @unittest.skipUnless(OTHER_MALLOCS, "no other malloc")
    def test_another_malloc_changes_nothing(self):
        program = self.linked(self.asks, self.library)
        for other in OTHER_MALLOCS:
            with self.subTest(other=other):
                said = self.succeed("env", f"LD_PRELOAD={other}", program)
                own = int(re.match(r"before main: (\d+)", said).group(1)) - 5000  # what it has from operator new itself
                self.assertIn(own, range(1024))
                self.assertEqual(said, AS_EXPECTED.replace("5000", str(5000 + own)).replace("end: 0", f"end: {own}")
                                 .replace("5001", str(5001 + own)))


if __name__ == "__main__":
    unittest.main()
