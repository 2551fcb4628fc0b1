#include <allot/adaptor/tag_adaptor.hpp> // first: proves that the header stands alone

#include <allot/adaptor/counting_adaptor.hpp>
#include <allot/arena/bump_resource.hpp>
#include <allot/source/malloc_resource.hpp>
#include <allot/testing/allocation_failure_loop.hpp>
#include <allot/testing/checking_resource.hpp>
#include <allot/testing/conformance.hpp>
#include <allot/testing/split_mix.hpp>

#include <doctest/doctest.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cstdint>
#include <cstring>
#include <limits>
#include <map>
#include <memory_resource>
#include <string>
#include <string_view>
#include <thread>
#include <type_traits>
#include <vector>

#include "support/conformance.hpp"
#include "support/death.hpp"
#include "support/intrude.hpp"
#include "support/race.hpp"

namespace {

struct tag_fixture {
  allot::probe_upstream up;
  allot::tag_adaptor<allot::probe_upstream> r{up};
  auto& resource() { return r; }
  auto& upstream() { return up; }
};

struct tag_over_tag_fixture {
  allot::probe_upstream up;
  allot::tag_adaptor<allot::probe_upstream> inner{up};
  allot::tag_adaptor<decltype(inner)> r{inner};
  auto& resource() { return r; }
  auto& upstream() { return up; }
};

constexpr std::size_t most = std::numeric_limits<std::size_t>::max();

/// Figures of one tag; all zero where it has no row.
template <class Tagged>
allot::tag_snapshot row(const Tagged& tagged, std::string_view tag) {
  const auto table = tagged.tags();
  const auto* const found = table.find(tag);
  return found == nullptr ? allot::tag_snapshot{} : *found;
}

template <class Tagged>
void* allocate_for(Tagged& tagged, const char* tag, std::size_t bytes, std::size_t alignment = 8) {
  const allot::tag_scope scope{allot::tag_name::of_static(tag)};
  return tagged.allocate(bytes, alignment);
}

/// The texts of all rows, in their order, each followed by a space.
template <class Tagged>
std::string texts(const Tagged& tagged) {
  std::string all;
  for (const allot::tag_snapshot& tag : tagged.tags())
    all += std::string{tag.tag} + " ";
  return all;
}

} // namespace

TEST_SUITE("tag_adaptor") {
  TEST_CASE("keeps the contract of a memory resource") { check_contract<tag_fixture>(); }

#if !ALLOT_VALGRIND // under Memcheck the suite takes seconds
  TEST_CASE("keeps the contract over another tag_adaptor") { check_contract<tag_over_tag_fixture>(); }
#endif

  TEST_CASE("example") {
    // [example]
    allot::bump_resource<4096> arena;
    allot::tag_adaptor tagged{arena, "request"};

    std::pmr::vector<int> kept{&tagged};
    {
      const allot::tag_scope here{"parse"};
      kept.assign(100, 7);
    }
    kept = std::pmr::vector<int>{&tagged}; // freed outside of the scope, and counted for it all the same

    for (const allot::tag_snapshot& tag : tagged.tags()) {
      if (std::string_view{tag.tag} != "parse") continue;
      CHECK(tag.peak_bytes == 400);
      CHECK(tag.live_bytes == 0);
    }
    // [example]
    CHECK(row(tagged, "parse").allocations == 1);
  }

  TEST_CASE("deduces its upstream, with and without a capacity and a name") {
    allot::bump_resource<64> arena;
    using arena_type = allot::bump_resource<64>;
    allot::tag_adaptor plain{arena};
    allot::tag_adaptor named{arena, "a"};
    allot::tag_adaptor wide{arena, allot::max_tags<64>};
    allot::tag_adaptor both{arena, allot::max_tags<64>, "b"};
    allot::tag_adaptor again{plain};
    allot::tag_adaptor over{both, "c"};
    CHECK(std::is_same_v<decltype(plain), allot::tag_adaptor<arena_type>>);
    CHECK(std::is_same_v<decltype(named), decltype(plain)>);
    CHECK(std::is_same_v<decltype(wide), allot::tag_adaptor<arena_type, allot::max_tags_t<64>>>);
    CHECK(std::is_same_v<decltype(both), decltype(wide)>);
    CHECK(std::is_same_v<decltype(again), allot::tag_adaptor<decltype(plain)>>);
    CHECK(std::is_same_v<decltype(over), allot::tag_adaptor<decltype(both)>>);
    CHECK(std::string_view{both.name()} == "b");
    CHECK(again.upstream_resource() == &plain);
    CHECK_FALSE(allot::tag_capacity<int>);
  }

  TEST_CASE("counts for the innermost tag, and without one for (untagged)") {
    allot::checking_resource up;
    allot::tag_adaptor tagged{up};
    void* const a = tagged.allocate(1, 1);
    void* const b = allocate_for(tagged, "b", 10);
    {
      const allot::tag_scope outer{"b"};
      const allot::tag_scope inner{"c"};
      tagged.deallocate(tagged.allocate(100, 1), 100, 1);
    }
    CHECK(texts(tagged) == "(untagged) b c (other) ");
    CHECK(row(tagged, "(untagged)").live_bytes == 1);
    CHECK(row(tagged, "b").live_bytes == 10);
    CHECK(row(tagged, "c").live_bytes == 0);
    CHECK(row(tagged, "c").peak_bytes == 100);
    CHECK(tagged.used() == 11);
    tagged.deallocate(a, 1, 1);
    tagged.deallocate(b, 10, 8);
    CHECK(row(tagged, "b") == allot::tag_snapshot{{.peak_bytes = 10,
                                                   .total_bytes = 10,
                                                   .peak_blocks = 1,
                                                   .allocations = 1,
                                                   .deallocations = 1,
                                                   .largest_bytes = 10},
                                                  row(tagged, "b").tag,
                                                  0});
  }

  TEST_CASE("the same text at two addresses is one tag, and texts that begin alike are not") {
    allot::malloc_resource up;
    allot::tag_adaptor tagged{up};
    static const std::string copy{"parse"};
    for (const char* tag : {"parse", copy.c_str(), "pars", "parsed"})
      tagged.deallocate(allocate_for(tagged, tag, 8), 8, 8);
    CHECK(texts(tagged) == "(untagged) pars parse parsed (other) ");
    CHECK(row(tagged, "parse").allocations == 2);
  }

  TEST_CASE("a table has no row for a tag that nobody has had, nor for a part of one") {
    allot::malloc_resource up;
    allot::tag_adaptor tagged{up};
    tagged.deallocate(allocate_for(tagged, "parse", 16), 16, 8);
    const auto table = tagged.tags();
    REQUIRE(table.find("parse") != nullptr);
    CHECK(table.find("parse")->allocations == 1);
    CHECK(table.find("pars") == nullptr);
    CHECK(table.find("render") == nullptr);
  }

  TEST_CASE("tags beyond the capacity are (other), and those within it stay exact") {
    allot::malloc_resource up;
    allot::tag_adaptor tagged{up, allot::max_tags<3>};
    static const std::array<std::string, 6> names{"a", "b", "c", "d", "e", "a"};
    std::vector<void*> blocks;
    for (const std::string& name : names)
      blocks.push_back(allocate_for(tagged, name.c_str(), 16));
    CHECK(texts(tagged) == "(untagged) a b c (other) ");
    CHECK(row(tagged, "a").live_bytes == 32);
    CHECK(row(tagged, "b").live_bytes == 16);
    CHECK(row(tagged, "c").live_bytes == 16);
    CHECK(row(tagged, "(other)").live_blocks == 2);
    for (void* const p : blocks)
      tagged.deallocate(p, 16, 8);
    CHECK(tagged.used() == 0);
    CHECK(row(tagged, "(other)").deallocations == 2);
  }

  TEST_CASE("a tag that is called as one of its own rows is counted there, and makes no second row") {
    allot::malloc_resource up;
    allot::tag_adaptor tagged{up};
    tagged.deallocate(allocate_for(tagged, "(other)", 8), 8, 8);
    tagged.deallocate(allocate_for(tagged, "(untagged)", 8), 8, 8);
    CHECK(texts(tagged) == "(untagged) (other) ");
    CHECK(row(tagged, "(other)").allocations == 1);
    CHECK(row(tagged, "(untagged)").allocations == 1);
  }

  TEST_CASE("takes a prefix of max(alignment, 4) bytes, and says so in reserved alone") {
    allot::checking_resource up;
    allot::tag_adaptor tagged{up};
    for (std::size_t alignment = 1; alignment <= 4096; alignment *= 2) {
      void* const p = allocate_for(tagged, "x", 10, alignment);
      CHECK(reinterpret_cast<std::uintptr_t>(p) % alignment == 0);
      CHECK(tagged.reserved() == 10 + std::max<std::size_t>(alignment, 4));
      CHECK(row(tagged, "x").reserved_bytes == tagged.reserved());
      CHECK(up.live_bytes() == tagged.reserved());
      CHECK(up.last_allocated() == allot::layout{tagged.reserved(), alignment});
      CHECK(tagged.used() == 10);
      std::memset(p, 0xFF, 10);
      tagged.deallocate(p, 10, alignment);
      CHECK(up.last_deallocated() == up.last_allocated());
    }
    CHECK(tagged.reserved() == 0);
    CHECK(row(tagged, "x").largest_bytes == 10);
  }

  TEST_CASE("a block of no bytes lies in upstream's memory, even at its end") {
    allot::bump_resource<16> arena;
    allot::tag_adaptor tagged{arena};
    CHECK(decltype(tagged)::owns_is_exact);
    for (int i = 0; i < 3; ++i) {
      void* const p = tagged.allocate(0, 1);
      CHECK(tagged.owns(p) == allot::ownership::yes);
    }
    CHECK(tagged.reserved() == 15);
    CHECK(tagged.used() == 0);
    CHECK(tagged.tags().rows[0].live_blocks == 3);
    CHECK(tagged.try_allocate(0, 1) == nullptr);
    CHECK(tagged.owns(&tagged) == allot::ownership::no);
  }

  TEST_CASE("a size that leaves no room for the prefix fails without a call of upstream") {
    allot::probe_upstream up;
    allot::tag_adaptor tagged{up};
    const allot::tag_scope scope{"huge"};
    const std::size_t calls = up.failing().calls();
    for (const std::size_t alignment : {1U, 4U, 16U, 1U << 30}) {
      const std::size_t prefix = std::max<std::size_t>(alignment, 4);
      CHECK(tagged.try_allocate(most, alignment) == nullptr);
      CHECK(tagged.try_allocate(most - prefix + 1, alignment) == nullptr);
      CHECK(tagged.try_allocate(most - prefix, alignment) == nullptr); // this one is upstream's to refuse
    }
    CHECK(tagged.try_allocate(1, most / 2 + 1) == nullptr);
    CHECK(up.failing().calls() == calls); // the probe refuses what is too much on its own
    CHECK(row(tagged, "huge").failures == 13);
    CHECK(tagged.reserved() == 0);
#if ALLOT_EXCEPTIONS
    CHECK_THROWS_WITH_AS((void)tagged.allocate(most, 8), doctest::Contains("tag_adaptor"), allot::out_of_memory);
    CHECK(row(tagged, "huge").failures == 14);
#endif
  }

  TEST_CASE("a failure of upstream counts for its tag and changes nothing else, at every allocation in turn") {
    allot::probe_upstream up;
    allot::tag_adaptor tagged{up};
    const auto result = allot::allocation_failure_loop(up, [&] {
      void* const first = tagged.try_allocate(10, 1);
      if (first == nullptr) return false;
      const allot::tag_scope scope{"second"};
      void* const second = tagged.try_allocate(20, 64);
      if (second != nullptr) tagged.deallocate(second, 20, 64);
      tagged.deallocate(first, 10, 1);
      return second != nullptr;
    });
    CHECK_MESSAGE(result.ok(), result.first_problem);
    CHECK(result.runs == 3);
    CHECK(row(tagged, "(untagged)").failures == 1);
    CHECK(row(tagged, "second").failures == 1);
    CHECK(row(tagged, "second").allocations == 1);
    CHECK(tagged.used() == 0);
    CHECK(tagged.reserved() == 0);
  }

#if ALLOT_EXCEPTIONS
  TEST_CASE("hands on what upstream threw, and counts it") {
    struct odd final : std::pmr::memory_resource {
      void* do_allocate(std::size_t, std::size_t) override { throw 42; }
      void do_deallocate(void*, std::size_t, std::size_t) override {}
      [[nodiscard]] bool do_is_equal(const memory_resource& other) const noexcept override { return this == &other; }
    };
    odd up;
    allot::tag_adaptor tagged{up};
    CHECK_THROWS_AS((void)tagged.allocate(8, 8), int);
    CHECK(tagged.tags().rows[0] == allot::tag_snapshot{{.failures = 1}, tagged.tags().rows[0].tag, 0});
    allot::tag_adaptor over_foreign{*std::pmr::null_memory_resource()};
    CHECK(over_foreign.try_allocate(8, 8) == nullptr);
    CHECK_THROWS_AS((void)over_foreign.allocate(8, 8), std::bad_alloc);
  }
#endif

  TEST_CASE("two layers of it attribute alike, and each has its own prefix") {
    allot::checking_resource up;
    allot::tag_adaptor inner{up};
    allot::tag_adaptor outer{inner};
    void* const p = allocate_for(outer, "x", 10, 8);
    CHECK(row(outer, "x").live_bytes == 10);
    CHECK(row(inner, "x").live_bytes == 18);
    CHECK(up.live_bytes() == 26);
    outer.deallocate(p, 10, 8);
    CHECK(row(inner, "x").live_bytes == 0);
  }

  TEST_CASE("an arena over it gives its blocks back for the tag under which it took them") {
    allot::checking_resource up;
    allot::tag_adaptor tagged{up};
    {
      std::pmr::monotonic_buffer_resource arena{&tagged};
      {
        const allot::tag_scope scope{"load"};
        (void)arena.allocate(100, 64);
      }
      CHECK(row(tagged, "load").live_blocks == 1);
    }
    CHECK(row(tagged, "load").live_blocks == 0);
    CHECK(up.live_blocks() == 0);
  }

  TEST_CASE("holds 136 bytes for each tag") {
    using ten = allot::tag_adaptor<std::pmr::memory_resource, allot::max_tags_t<16>>;
    using more = allot::tag_adaptor<std::pmr::memory_resource, allot::max_tags_t<32>>;
    CHECK(sizeof(void*) == 8);
    CHECK(sizeof(more) - sizeof(ten) == 16 * 136);
  }

  TEST_CASE("blocks that others give back, and threads that bring the same tags at once, leave every figure right") {
    static const std::array<std::string, 8> names{"a", "b", "c", "d", "a", "b", "c", "d"}; // two copies of each
    constexpr unsigned threads = 4;
    for (int repetition = 0; repetition < 50; ++repetition) {
      allot::malloc_resource up;
      allot::tag_adaptor tagged{up, allot::max_tags<3>};
      std::array<std::array<void*, names.size()>, threads> blocks{};
      race(threads, 2, [&](unsigned thread, unsigned round) {
        for (std::size_t i = 0; i < names.size(); ++i) {
          if (round == 0) {
            const std::size_t at = (i + thread) % names.size();
            blocks[thread][at] = allocate_for(tagged, names[at].c_str(), at + 1);
          } else {
            const allot::tag_scope elsewhere{"a"};
            tagged.deallocate(blocks[(thread + 1) % threads][i], i + 1, 8);
          }
        }
      });
      const auto table = tagged.tags();
      REQUIRE(table.size() == 5); // one text takes one row, whoever comes first
      std::size_t blocks_counted = 0;
      std::size_t bytes_counted = 0;
      for (const allot::tag_snapshot& tag : table) {
        REQUIRE(tag.live_bytes == 0);
        REQUIRE(tag.live_blocks == 0);
        REQUIRE(tag.reserved_bytes == 0);
        REQUIRE(tag.allocations == tag.deallocations);
        REQUIRE((tag.allocations == 0 || tag.allocations == 2 * threads));
        blocks_counted += tag.allocations;
        bytes_counted += tag.total_bytes;
      }
      REQUIRE(blocks_counted == threads * names.size());
      REQUIRE(bytes_counted == threads * (1 + 2 + 3 + 4 + 5 + 6 + 7 + 8));
    }
  }

#if ALLOT_TEST_INTRUDES
  TEST_CASE("wherever two bring a tag at once, the same text is one number, and of two texts one has the last number") {
    using index = allot::detail::tag_index<1>;
    static const std::array<std::string, 3> texts{"a", "a", "b"}; // two copies of the first
    for (const std::size_t second : {1U, 2U}) {
      std::array<std::size_t, 2> got{};
      for (std::size_t at = 1;; at += support::next_intrusion) {
        index tags;
        const auto take = [&](std::size_t who, std::size_t text) {
          got[who] = tags.number_of(allot::tag_name::of_static(texts[text].c_str()));
        };
        if (!support::intrude(
                at, [&] { take(0, 0); }, [&] { take(1, second); }))
          break;
        if (second == 1) {
          REQUIRE(got == std::array{index::first, index::first});
        } else {
          REQUIRE(std::min(got[0], got[1]) == index::other);
          REQUIRE(std::max(got[0], got[1]) == index::first);
        }
        const std::string_view owner = tags.text_of(index::first);
        REQUIRE(owner == (got[0] == index::first ? "a" : "b"));
      }
      CHECK(got[1] != 0);
    }
  }
#endif

  TEST_CASE("agrees with a shadow of each tag through random calls") {
    static const std::array<std::string, 5> names{"a", "b", "c", "d", "e"};
    struct block {
      void* p;
      std::size_t bytes;
      std::size_t alignment;
      std::string tag;
    };
    for (std::uint64_t seed = 1; seed <= 10; ++seed) {
      CAPTURE(seed);
      allot::split_mix random{seed};
      allot::checking_resource up;
      allot::tag_adaptor tagged{up};
      std::vector<block> live;
      std::map<std::string, allot::counting_snapshot> shadow;
      for (int i = 0; i < 300; ++i) {
        if (!live.empty() && random.below(5) < 2) {
          std::swap(live[random.below(live.size())], live.back());
          const block b = live.back();
          live.pop_back();
          tagged.deallocate(b.p, b.bytes, b.alignment);
          shadow[b.tag].live_bytes -= b.bytes;
          --shadow[b.tag].live_blocks;
        } else {
          const std::string& name = names[random.below(names.size())];
          const std::size_t bytes = random.below(200);
          const std::size_t alignment = std::size_t{1} << random.below(8);
          live.push_back({allocate_for(tagged, name.c_str(), bytes, alignment), bytes, alignment, name});
          auto& figures = shadow[name];
          figures.live_bytes += bytes;
          figures.total_bytes += bytes;
          figures.peak_bytes = std::max(figures.peak_bytes, figures.live_bytes);
          figures.peak_blocks = std::max(figures.peak_blocks, ++figures.live_blocks);
        }
        for (const auto& [name, figures] : shadow) {
          const allot::tag_snapshot seen = row(tagged, name);
          REQUIRE(seen.live_bytes == figures.live_bytes);
          REQUIRE(seen.live_blocks == figures.live_blocks);
          REQUIRE(seen.total_bytes == figures.total_bytes);
          REQUIRE(seen.peak_bytes == figures.peak_bytes);
          REQUIRE(seen.peak_blocks == figures.peak_blocks);
        }
        REQUIRE(tagged.reserved() == up.live_bytes());
      }
      for (const block& b : live)
        tagged.deallocate(b.p, b.bytes, b.alignment);
      CHECK(tagged.used() == 0);
    }
  }

#if ALLOT_CHECK_LEVEL > 0
  TEST_CASE("stops at a block whose tag was overwritten, and at one that is none of its own") {
    allot::malloc_resource up;
    allot::tag_adaptor tagged{up};
    CHECK(dies(
        [&] {
          char* const p = static_cast<char*>(tagged.allocate(8, 8));
          p[-1] = 0;
          tagged.deallocate(p, 8, 8);
        },
        "number_of_a_tag < "));
    CHECK(dies(
        [&] {
          alignas(8) char foreign[16] = {};
          tagged.deallocate(foreign + 8, 8, 8);
        },
        "number_of_a_tag < "));
  }
#endif
}
