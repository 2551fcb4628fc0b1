#include <allot/interop/boost.hpp>

#include <allot/arena/bump_resource.hpp>
#include <allot/arena/monotonic_resource.hpp>
#include <allot/testing/allocation_failure_loop.hpp>
#include <allot/testing/checking_resource.hpp>
#include <allot/testing/probe_upstream.hpp>

#include <doctest/doctest.h>

#include <cstddef>
#include <string>
#include <string_view>
#include <type_traits>

#include <boost/json.hpp>
#include <boost/version.hpp>

namespace json = boost::json;

/// No value in this arena walks itself to give its blocks back.
template <>
struct boost::json::is_deallocate_trivial<allot::boost_adaptor<allot::bump_resource<65536>>> : std::true_type {};

namespace {

/// A document with each kind of value, strings short and long, and objects past the size at which they get an index.
std::string document() {
  json::object wide;
  for (int i = 0; i < 100; ++i)
    wide["key " + std::to_string(i)] = std::string(static_cast<std::size_t>(i) * 3, 'v');
  json::array numbers{0, -1, 9223372036854775807, 18446744073709551615u, 0.5, -1e300, 1e-300};
  for (int i = 0; i < 300; ++i)
    numbers.emplace_back(i * i);
  return json::serialize(json::object{{"wide", wide},
                                      {"numbers", numbers},
                                      {"empty", json::array{json::object{}, json::array{}, "", nullptr}},
                                      {"booleans", json::array{true, false}},
                                      {"escapes", "\" \\ \n \t \x01 \xC3\xA9 \xF0\x9F\x98\x80"}});
}

std::string nested(std::size_t depth) { return std::string(depth, '[') + std::string(depth, ']'); }

} // namespace

TEST_SUITE("boost_json") {
  TEST_CASE("example") {
    // [json]
    allot::monotonic_resource<> arena;
    auto for_boost = allot::as_boost(arena);

    boost::json::parser parser{&for_boost}; // its own stack is in the arena too
    parser.reset(&for_boost);
    parser.write(R"({"words": ["the", "quick", "brown", "fox"]})");
    const boost::json::value doc = parser.release();

    CHECK(doc.at("words").as_array().size() == 4);
    // [json]
    CHECK(doc.storage().get() == &for_boost);
  }

  TEST_CASE("a value parsed through as_boost gives every block back with its own size and alignment") {
    allot::checking_resource memory;
    const std::string text = document();
    {
      auto for_boost = allot::as_boost(memory);
      json::value doc = json::parse(text, &for_boost);
      CHECK(json::serialize(doc) == text);
      CHECK(memory.live_blocks() > 100);
      doc.as_object().erase("wide");
      doc.as_object()["numbers"].as_array().emplace_back("and one more that is a string of some length");
      const json::value copy(doc, &for_boost);
      CHECK(copy == doc);
    }
    CHECK(memory.status() == 0);
  }

  TEST_CASE("a parser whose stack is in the arena too takes nothing from anywhere else") {
    allot::checking_resource memory, stack;
    {
      auto for_values = allot::as_boost(memory), for_stack = allot::as_boost(stack);
      json::stream_parser parser{&for_stack};
      parser.reset(&for_values);
      const std::string text = document();
      for (std::size_t at = 0; at < text.size(); at += 100)
        parser.write(std::string_view{text}.substr(at, 100));
      parser.finish();
      CHECK(json::serialize(parser.release()) == text);
      CHECK(stack.allocations() > 0);
    }
    CHECK(memory.status() == 0);
    CHECK(stack.status() == 0);
  }

  TEST_CASE("a document as deep as the parser allows lies in an arena, and one deeper leaves nothing behind") {
    allot::checking_resource memory;
    {
      auto for_boost = allot::as_boost(memory);
      json::parse_options deep;
      deep.max_depth = 5000;
      const json::value doc = json::parse(nested(5000), &for_boost, deep);
      CHECK(json::serialize(doc) == nested(5000));
      CHECK(memory.live_blocks() == 4999); // the innermost one is empty

      json::error_code error;
      const json::value none = json::parse(nested(5001), error, &for_boost, deep);
      CHECK(error == json::error::too_deep);
      CHECK(memory.live_blocks() == 4999);
    }
    CHECK(memory.status() == 0);
  }

  TEST_CASE("what is no document leaves nothing behind") {
    allot::checking_resource memory;
    auto for_boost = allot::as_boost(memory);
    for (const std::string_view text :
         {R"([1, [2, "three)", "[1, 2}", R"(["\uD800 a lone surrogate"])",
          "[\"not \xFF utf-8, and long enough to be in a block of its own\"]", "nul", ""}) {
      json::error_code error;
      const json::value none = json::parse(text, error, &for_boost);
      CHECK(error.failed());
      CHECK(memory.live_blocks() == 0);
    }
    CHECK(memory.status() == 0);
  }

#if ALLOT_EXCEPTIONS
  TEST_CASE("a failure at any allocation reaches the caller, and leaves nothing behind") {
    allot::probe_upstream up;
    const auto result = allot::allocation_failure_loop(up, [&] {
      auto for_boost = allot::as_boost(up);
      const json::value doc = json::parse(R"([[1, 2, ["a string that is long enough for a block", 3.5, [[{}]]]],
        "another such string, which is not the same one"])",
                                          &for_boost);
    });
    CHECK_MESSAGE(result.ok(), result.first_problem);
    CHECK(result.runs > 5);
  }

  TEST_CASE("a document that is too large for its arena is allot's out_of_memory") {
    allot::bump_resource<4096> arena;
    auto for_boost = allot::as_boost(arena);
    CHECK_THROWS_AS((void)json::parse(document(), &for_boost), allot::out_of_memory);
  }
#endif

  TEST_CASE("a warmed-up arena parses document after document without its upstream") {
    allot::checking_resource memory;
    {
      allot::monotonic_resource<allot::checking_resource> arena{memory};
      auto for_boost = allot::as_boost(arena);
      const std::string text = document();
      std::size_t warm = 0;
      for (int round = 0; round < 10; ++round) {
        {
          const json::value doc = json::parse(text, &for_boost);
          CHECK(doc.is_object());
        }
        arena.reset();
        if (round == 1) warm = memory.allocations();
      }
      CHECK(memory.allocations() == warm);
    }
    CHECK(memory.status() == 0);
  }

  TEST_CASE("checking_resource says that Boost.JSON's own monotonic_resource gives its chunks back 32 bytes short") {
    allot::checking_resource memory{{.name = "chunks", .action = allot::on_fault::record}};
    {
      auto for_boost = allot::as_boost(memory);
      json::monotonic_resource boosts{1024, &for_boost};
      const json::value doc = json::parse(document(), &boosts);
    }
    if (BOOST_VERSION == 108100) {
      REQUIRE(memory.errors(allot::memory_fault::wrong_size) == memory.deallocations());
      const allot::memory_report wrong = *memory.first_error();
      CHECK(wrong.given_bytes == wrong.bytes - 32);
      char line[300];
      describe(wrong, line);
      CHECK(std::string_view{line}.starts_with("allot: checking_resource \"chunks\": wrong_size: "));
      CHECK(std::string_view{line}.find(std::to_string(wrong.given_bytes) + " bytes") != std::string_view::npos);
    }
    CHECK(memory.errors() == memory.errors(allot::memory_fault::wrong_size));
    CHECK(memory.live_blocks() == 0);
  }

  TEST_CASE("where the adaptor's type says that deallocation is trivial, a value's destructor gives nothing back") {
    allot::bump_resource<65536> arena;
    auto for_boost = allot::as_boost(arena);
    std::size_t used = 0;
    {
      const json::value doc = json::parse(R"(["one string that needs a block"])", &for_boost);
      used = arena.used();
    }
    CHECK(used > 0);
    CHECK(arena.used() == used); // the array's block was the last one: else it would be taken back
  }

  TEST_CASE("checking_resource says that Boost.JSON gives a key back with alignment 16 where a parse ends behind it") {
    allot::checking_resource memory{{.action = allot::on_fault::record}};
    auto for_boost = allot::as_boost(memory);
    json::error_code error;
    const json::value none = json::parse(R"({"a key": [1, 2)", error, &for_boost);

    CHECK(error == json::error::incomplete);
    CHECK(memory.live_blocks() == 0);
    if (BOOST_VERSION == 108100) {
      REQUIRE(memory.errors() == 1);
      CHECK(memory.first_error()->fault == allot::memory_fault::wrong_alignment);
      CHECK(memory.first_error()->alignment == 1);
      CHECK(memory.first_error()->given_alignment == alignof(std::max_align_t));
    }
  }
}
