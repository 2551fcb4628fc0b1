#include <allot/report/walk.hpp> // first: proves that the header stands alone

#include <allot/adaptor/counting_adaptor.hpp>
#include <allot/core/chain.hpp>
#include <allot/report/json.hpp>
#include <allot/source/malloc_resource.hpp>

#include <doctest/doctest.h>

#include <cstddef>
#include <memory_resource>
#include <span>
#include <string>

#include "report/stack.hpp"
#include "report/support.hpp"

namespace {

namespace report = allot::report;
using namespace allot::literals;

/// Writes what it is shown: `depth class "name" path{...}`.
class transcript final : public report::layer_visitor {
public:
  std::string text;

  void enter(const report::layer_record& layer) noexcept override {
    text += std::string(2 * layer.depth, ' ');
    if (layer.starts_branch) text += std::string{layer.branch->role} + "#";
    text += layer.class_name == nullptr ? "-" : layer.class_name;
    if (layer.name != nullptr) text += std::string{"="} + layer.name;
    if (layer.branch != nullptr) text += " @" + path(*layer.branch);
    if (layer.is_opaque) text += " opaque";
    text += "\n";
    ++open;
  }
  void tag(const report::layer_record& layer, const report::tag_record& row) noexcept override {
    text += "tag " + std::to_string(row.row + 1) + "/" + std::to_string(layer.tags) + " " + row.tag + "\n";
  }
  void leave(const report::layer_record&) noexcept override { --open; }

  int open = 0;

private:
  static std::string path(const report::branch_path& at) {
    return (at.outer == nullptr ? "" : path(*at.outer) + ".") + std::to_string(at.index);
  }
};

template <class T>
std::string shown(const T& what) {
  transcript t;
  report::walk(what, t);
  CHECK(t.open == 0);
  return t.text;
}

/// A class of the user's that allot's `resource_interface` knows nothing of.
class foreign final : public std::pmr::memory_resource {
  void* do_allocate(std::size_t, std::size_t) override { return nullptr; }
  void do_deallocate(void*, std::size_t, std::size_t) override {}
  [[nodiscard]] bool do_is_equal(const memory_resource& other) const noexcept override { return this == &other; }
};

/// One that tells what it stands on and what it has used, as `std::pmr`'s own do.
class foreign_over final : public std::pmr::memory_resource {
public:
  explicit foreign_over(std::pmr::memory_resource& upstream) : upstream_{&upstream} {}
  [[nodiscard]] std::pmr::memory_resource* upstream_resource() const { return upstream_; }
  [[nodiscard]] std::size_t used() const { return 1; }

private:
  void* do_allocate(std::size_t, std::size_t) override { return nullptr; }
  void do_deallocate(void*, std::size_t, std::size_t) override {}
  [[nodiscard]] bool do_is_equal(const memory_resource& other) const noexcept override { return this == &other; }

  std::pmr::memory_resource* upstream_;
};

/// A user's class that takes part in reports; it may have no upstream.
class with_or_without final : public std::pmr::memory_resource {
public:
  static constexpr const char* class_name = "with_or_without";
  explicit with_or_without(allot::malloc_resource* upstream) : upstream_{upstream} {}
  [[nodiscard]] allot::malloc_resource* upstream_resource() const noexcept { return upstream_; }

private:
  void* do_allocate(std::size_t, std::size_t) override { return nullptr; }
  void do_deallocate(void*, std::size_t, std::size_t) override {}
  [[nodiscard]] bool do_is_equal(const memory_resource& other) const noexcept override { return this == &other; }

  allot::malloc_resource* upstream_;
};

} // namespace

TEST_SUITE("walk") {
  TEST_CASE("goes down along the upstreams, and into each branch of each router") {
    const support::stack s;
    CHECK(shown(s.process) == "limit_adaptor=process\n"
                              "  counting_adaptor=all\n"
                              "    tag_adaptor=tags\n"
                              "tag 1/3 (untagged)\n"
                              "tag 2/3 parse\n"
                              "tag 3/3 (other)\n"
                              "      size_router=by size\n"
                              "        #fallback_router @0\n"
                              "          primary#bump_resource=first @0.0\n"
                              "          secondary#bump_resource=second @0.1\n"
                              "        otherwise#counting_adaptor=big @1\n"
                              "          memory_resource @1 opaque\n");
  }

  TEST_CASE("a chain is seen as its layers, also where it is another chain's source") {
    allot::chain inner{allot::layer<allot::counting_adaptor>("inner"), allot::source<allot::bump_resource<64>>("end")};
    const allot::chain outer{allot::layer<allot::limit_adaptor>(16_KiB, "outer"), allot::over(inner)};
    CHECK(shown(outer) == "limit_adaptor=outer\n"
                          "  counting_adaptor=inner\n"
                          "    bump_resource=end\n");
  }

  TEST_CASE("ends where the type is not known") {
    allot::malloc_resource heap;
    const allot::counting_adaptor<allot::resource> over_resource{heap};
    CHECK(shown(over_resource) == "counting_adaptor\n  memory_resource opaque\n");
    const foreign mine;
    CHECK(shown(mine) == "memory_resource opaque\n");
    const std::pmr::memory_resource& unknown = heap;
    CHECK(shown(unknown) == "memory_resource opaque\n");
    CHECK(shown(heap) == "malloc_resource\n");
    const foreign_over over{heap};
    CHECK(shown(over) == "memory_resource opaque\n");
    CHECK(report::detail::record_of(over, {}).values == report::figures{});
  }

  TEST_CASE("ends where a class of the user's has no upstream") {
    allot::malloc_resource heap;
    CHECK(shown(with_or_without{&heap}) == "with_or_without\n  malloc_resource\n");
    CHECK(shown(with_or_without{nullptr}) == "with_or_without\n");
    const with_or_without nothing_below{nullptr};
    CHECK(support::whole([&](std::span<char> out) { return report::json(nothing_below, out); }) ==
          "{\"class\": \"with_or_without\", \"name\": null}\n");
  }

#if ALLOT_EXCEPTIONS
  TEST_CASE("ends at a class that is not allot's") {
    foreign mine;
    const allot::counting_adaptor over_foreign{mine};
    CHECK(shown(over_foreign) == "counting_adaptor\n  memory_resource opaque\n");
    const allot::counting_adaptor<> over_unknown{mine};
    CHECK(shown(over_unknown) == "counting_adaptor\n  memory_resource opaque\n");
  }
#endif

  TEST_CASE("a snapshot is a layer without a class, and so is a tag table") {
    CHECK(shown(allot::counting_snapshot{}) == "-\n");
    const support::stack s;
    CHECK(shown(s.tags.tags()) == "-\ntag 1/3 (untagged)\ntag 2/3 parse\ntag 3/3 (other)\n");
  }

  TEST_CASE("the figures are those of the layers at the time of the walk") {
    allot::bump_resource<64> arena;
    allot::counting_adaptor counted{arena};
    (void)counted.allocate(10, 1);
    struct sum final : report::layer_visitor {
      std::size_t used = 0;
      void enter(const report::layer_record& layer) noexcept override {
        used = 100 * used + layer.values[report::figure::used_bytes];
      }
      void tag(const report::layer_record&, const report::tag_record&) noexcept override {}
      void leave(const report::layer_record&) noexcept override {}
    } all;
    report::walk(counted, all);
    CHECK(all.used == 1010);
  }
}
