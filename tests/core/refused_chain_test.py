"""Chains that must not compile, and what the compiler says then. Each mistake is tried with its like that is right."""

import pathlib
import sys
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "support"))
from compiling import MistakesTest, with_each_compiler  # noqa: E402

CHAIN = """
#include <allot/adaptor/counting_adaptor.hpp>
#include <allot/arena/bump_resource.hpp>
#include <allot/core/chain.hpp>
#include <allot/core/static_slot.hpp>
#include <allot/testing/failing_adaptor.hpp>
#include <functional>
#include <string>
#include <memory>
using allot::layer, allot::source, allot::over;
template <class Upstream, std::size_t N = 4>
class sized final : public allot::adaptor_interface<sized<Upstream, N>, Upstream> {
public:
  static constexpr const char* class_name = "sized";
  explicit sized(Upstream& up) noexcept : sized::adaptor_interface{up, nullptr} {}
  sized(Upstream& up, std::unique_ptr<int>) noexcept : sized{up} {}
};
using arena = allot::bump_resource<64>;
arena elsewhere;
auto make() { return allot::chain{layer<allot::counting_adaptor>("rx"), source<arena>("memory")}; }
allot::chain same{layer<allot::counting_adaptor>(), over(elsewhere)};
auto& found = same.layer<arena>();
auto& counted = same.layer<allot::counting_adaptor>();
auto& outermost = same.layer<0>();
auto& other = same;
auto make_static(std::span<std::byte> bytes) noexcept {
  return allot::chain{layer<allot::counting_adaptor>(), source<allot::bump_resource<>>(bytes)};
}
constinit allot::static_slot<decltype(make_static({})), 64> slot;
auto& claimed() { return slot.claim(make_static); }
decltype(make()) member{layer<allot::counting_adaptor>("rx"), source<arena>("memory")};
std::unique_ptr<int> own;
allot::chain two_sized{layer<sized, 4>(std::move(own)), layer<sized>(), source<arena>()};
"""


class RefusedChains(MistakesTest):
    def refuses(self, compiler, right, wrong, reason):
        self.refuses_instead(compiler, CHAIN, right, wrong, reason)

    @with_each_compiler
    def test_a_layer_that_is_not_there_is_not_found(self, compiler):
        for wrong in ("same.layer<int>()", "same.layer<allot::bump_resource<32>>()", "same.layer<std::basic_string>()"):
            self.refuses(compiler, "same.layer<arena>()", wrong, "the chain has no such layer")
        self.refuses(compiler, "same.layer<0>()", "same.layer<2>()", "the chain has fewer layers")

    @with_each_compiler
    def test_of_two_layers_of_a_class_none_is_found(self, compiler):
        twice = "same{layer<allot::counting_adaptor>(), layer<allot::counting_adaptor>()"
        self.refuses(compiler, "same{layer<allot::counting_adaptor>()", twice,
                     "the chain has more than one such layer: say which by its index")

    @with_each_compiler
    def test_the_source_is_the_last_and_only_the_last(self, compiler):
        self.refuses(compiler, ', source<arena>("memory")', "", "the last of a chain is its source")
        self.refuses(compiler, 'layer<allot::counting_adaptor>("rx")', 'source<arena>("rx")',
                     "a source is the last of a chain")
        self.refuses(compiler, 'layer<allot::counting_adaptor>("rx")', 'over(elsewhere)',
                     "a source is the last of a chain")

    @with_each_compiler
    def test_what_is_no_layer_does_not_stand_in_a_chain(self, compiler):
        for wrong in ("elsewhere", "std::ref(elsewhere)", "3"):
            self.refuses(compiler, "layer<allot::counting_adaptor>(), over(elsewhere)",
                         f"layer<allot::counting_adaptor>(), {wrong}", "what stands in a chain is layer<...>(...)")

    @with_each_compiler
    def test_a_layer_needs_a_constructor_for_its_arguments(self, compiler):
        for right, wrong in (('layer<allot::counting_adaptor>("rx")', "layer<allot::counting_adaptor>(1, 2)"),
                             ('source<arena>("memory")', "source<arena>(1, 2)")):
            self.refuses(compiler, right, wrong, "no constructor of this layer takes its upstream and these arguments")

    @with_each_compiler
    def test_a_chain_is_built_from_the_recipes_of_its_own_layers(self, compiler):
        for right, wrong in (('member{layer<allot::counting_adaptor>', "member{layer<allot::failing_adaptor>"),
                             ('source<arena>("memory")};\nstd', 'source<allot::bump_resource<32>>("memory")};\nstd')):
            self.refuses(compiler, right, wrong, "the recipes make other layers than this chain has")

    @with_each_compiler
    def test_an_argument_that_cannot_be_copied_is_moved_or_referred_to(self, compiler):
        self.refuses(compiler, "std::move(own)", "own", "what cannot be copied goes by std::move or by std::ref")

    @with_each_compiler
    def test_an_adaptor_with_values_over_its_own_type_needs_them_given(self, compiler):
        self.refuses(compiler, "layer<sized, 4>(std::move(own))", "layer<sized>()", "give its values")

    @with_each_compiler
    def test_a_reference_to_a_temporary_is_no_source(self, compiler):
        self.refuses(compiler, "over(elsewhere)", "over(arena{})", "")

    @with_each_compiler
    def test_a_chain_is_not_copied(self, compiler):
        self.refuses(compiler, "auto& other = same", "auto other = same", "deleted")

    @with_each_compiler
    def test_what_builds_a_chain_in_a_slot_does_not_throw(self, compiler):
        self.refuses(compiler, "bytes) noexcept {", "bytes) {", "a throw would spend the slot")


if __name__ == "__main__":
    unittest.main()
