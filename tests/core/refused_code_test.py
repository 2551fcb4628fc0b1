"""What must not compile, and what the compiler says then. Each piece of code is tried with its mistake mended, too."""

import pathlib
import sys
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "support"))
from compiling import compile_text, errors_in, with_each_compiler  # noqa: E402

RESOURCE = """
#include <allot/core/resource_interface.hpp>
class mine final : public allot::resource_interface<mine> {
public:
  static constexpr const char* class_name = "mine";
private:
  friend resource_interface;
  void* place(std::size_t, std::size_t) noexcept { return nullptr; }
  void give_back(void*, std::size_t, std::size_t) noexcept {}
};
mine object;
"""

ADAPTOR = """
#include <allot/core/adaptor_interface.hpp>
template <class Upstream>
class mine final : public allot::adaptor_interface<mine<Upstream>, Upstream> {
public:
  static constexpr const char* class_name = "mine";
  explicit mine(Upstream& upstream) noexcept : mine::adaptor_interface{upstream, nullptr} {}
};
void f(allot::resource& upstream) { mine adaptor{upstream}; }
"""


class RefusedCode(unittest.TestCase):
    def accepts(self, compiler, text, *flags):
        self.assertEqual(compile_text(compiler, text, *flags), (0, ""))

    def refuses(self, compiler, text, *reasons, flags=()):
        """Every one of `reasons` stands in the errors."""
        status, messages = compile_text(compiler, text, *flags)
        self.assertNotEqual(status, 0, "it compiles")
        errors = "\n".join(errors_in(messages))
        for reason in reasons:
            self.assertIn(reason, errors, messages)

    def refuses_without(self, compiler, text, line, *reasons):
        self.assertIn(line, text)
        self.accepts(compiler, text)
        self.refuses(compiler, text.replace(line, ""), *reasons)

    @with_each_compiler
    def test_a_resource_needs_both_hooks(self, compiler):
        self.refuses_without(compiler, RESOURCE,
                             "void* place(std::size_t, std::size_t) noexcept { return nullptr; }",
                             "no member named 'place'")
        self.refuses_without(compiler, RESOURCE, "void give_back(void*, std::size_t, std::size_t) noexcept {}",
                             "no member named 'give_back'")

    @with_each_compiler
    def test_a_hook_of_another_signature_is_not_passed_over(self, compiler):
        friend = "friend resource_interface;\n"
        use = "void* f() { return object.allocate(1); }"
        for name, right, wrong in (
                ("holds", "allot::ownership holds(const void*) const noexcept { return {}; }",
                 "allot::ownership holds(const void*) noexcept { return {}; }"),
                ("place_or_fail", "void* place_or_fail(std::size_t, std::size_t) { return this; }",
                 "void* place_or_fail(std::size_t) { return this; }"),
                ("refusal", "allot::failure refusal(std::size_t, std::size_t) const noexcept { return {}; }",
                 "allot::failure refusal(std::size_t) const noexcept { return {}; }")):
            self.accepts(compiler, RESOURCE.replace(friend, friend + right) + use)
            status, messages = compile_text(compiler, RESOURCE.replace(friend, friend + wrong) + use)
            self.assertNotEqual(status, 0, "it compiles")
            self.assertIn(f"self().{name}(", messages)

    @with_each_compiler
    def test_a_resource_needs_the_name_of_its_class(self, compiler):
        self.refuses_without(compiler, RESOURCE, 'static constexpr const char* class_name = "mine";', "class_name")

    @with_each_compiler
    def test_private_hooks_need_a_friend(self, compiler):
        self.refuses_without(compiler, RESOURCE, "friend resource_interface;", "private")

    @with_each_compiler
    def test_an_adaptor_that_can_refuse_needs_the_name_of_its_class(self, compiler):
        self.refuses_without(compiler, ADAPTOR, 'static constexpr const char* class_name = "mine";', "class_name")

    @with_each_compiler
    def test_a_resource_is_neither_copied_nor_moved(self, compiler):
        self.accepts(compiler, RESOURCE + "mine& same = object;")
        for text in ("mine copy = object;", "mine moved = static_cast<mine&&>(object);",
                     "void f() { object = mine{}; }"):
            self.refuses(compiler, RESOURCE + text, "deleted")

    @with_each_compiler
    def test_a_block_that_nobody_takes_is_a_warning(self, compiler):
        self.accepts(compiler, RESOURCE + "void* f() { return object.allocate(1); }", "-Werror")
        for text in ("void f() { object.allocate(1); }", "void f() { object.try_allocate(1); }",
                     "void f(allot::resource& any) { any.try_allocate(1); }"):
            self.refuses(compiler, RESOURCE + text, "nodiscard", flags=["-Werror"])

    @with_each_compiler
    def test_without_exceptions_an_adaptor_needs_an_upstream_that_can_be_tried(self, compiler):
        foreign = "void g(std::pmr::memory_resource& upstream) { mine adaptor{upstream}; }"
        self.accepts(compiler, ADAPTOR, "-fno-exceptions")
        self.accepts(compiler, ADAPTOR + foreign)
        self.refuses(compiler, ADAPTOR + foreign,
                     "without exceptions a foreign std::pmr::memory_resource cannot fail and return: "
                     "pass an allot::resource& or the concrete type as the upstream", flags=["-fno-exceptions"])

    @with_each_compiler
    def test_a_literal_has_to_fit(self, compiler):
        using = "#include <allot/core/layout.hpp>\nusing namespace allot::literals;\nconstexpr auto size = "
        for fits, too_much in (("18014398509481983_KiB", "18014398509481984_KiB"),
                               ("17592186044415_MiB", "17592186044416_MiB"),
                               ("17179869183_GiB", "17179869184_GiB")):
            if sys.maxsize > 2 ** 32:
                self.accepts(compiler, using + fits + ";")
            status, messages = compile_text(compiler, using + too_much + ";")
            self.assertNotEqual(status, 0, "it compiles")
            self.assertIn("size_does_not_fit_in_size_t", messages)


if __name__ == "__main__":
    unittest.main()
