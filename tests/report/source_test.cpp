#include <allot/report/source.hpp> // first: proves that the header stands alone

#include <allot/adaptor/counting_snapshot.hpp>
#include <allot/source/malloc_resource.hpp>

#include <doctest/doctest.h>

#include <iterator>
#include <string_view>
#include <type_traits>

namespace {

namespace report = allot::report;

class last_seen final : public report::layer_visitor {
public:
  std::string_view class_name;
  void enter(const report::layer_record& layer) noexcept override {
    class_name = layer.class_name == nullptr ? "-" : layer.class_name;
  }
  void tag(const report::layer_record&, const report::tag_record&) noexcept override {}
  void leave(const report::layer_record&) noexcept override {}
};

} // namespace

TEST_SUITE("source") {
  TEST_CASE("remembers the type that it was made from") {
    const allot::malloc_resource heap;
    const allot::counting_snapshot figures;
    const report::source all[] = {heap, {figures, {{"tenant", "acme"}, {"tier", "gold"}}}};
    last_seen seen;
    all[0].show_to(seen);
    CHECK(seen.class_name == "malloc_resource");
    CHECK(all[0].labels().empty());
    all[1].show_to(seen);
    CHECK(seen.class_name == "-");
    CHECK(std::distance(all[1].labels().begin(), all[1].labels().end()) == 2);
    CHECK(all[1].labels().begin()->name == "tenant");
    CHECK(std::next(all[1].labels().begin())->value == "gold");
  }

  TEST_CASE("is not made from a value that is about to go, or from what cannot be reported") {
    CHECK(std::is_constructible_v<report::source, const allot::counting_snapshot&>);
    CHECK(!std::is_constructible_v<report::source, allot::counting_snapshot>);
    CHECK(!std::is_constructible_v<report::source, const allot::counting_snapshot>);
    CHECK(!std::is_constructible_v<report::source, const int&>);
  }

  TEST_CASE("labels end with the first that has no name") {
    const report::label_set none{report::label{}};
    CHECK(none.empty());
    const report::label_set four{{"a", ""}, {"b", ""}, {"c", ""}, {"d", ""}};
    CHECK(std::distance(four.begin(), four.end()) == 4);
  }
}
