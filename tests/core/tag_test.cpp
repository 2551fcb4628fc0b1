#include <allot/core/tag.hpp> // first: proves that the header stands alone

#include <doctest/doctest.h>

#include <atomic>
#include <csignal>
#include <cstddef>
#include <memory>
#include <stdexcept>
#include <string>
#include <string_view>
#include <thread>
#include <type_traits>

#include "support/death.hpp"
#include "support/intrude.hpp"

namespace {

/// The text of the current tag, "-" where there is none.
std::string_view current() {
  const char* const text = allot::current_tag().text();
  return text == nullptr ? "-" : text;
}

const char* seen_by_handler = "";

void look(int) { seen_by_handler = allot::current_tag().text(); }

} // namespace

TEST_SUITE("tag") {
  TEST_CASE("example") {
    // [example]
    const allot::tag_scope request{"request"};
    {
      const allot::tag_scope parse{"parse"};
      CHECK(std::string_view{allot::current_tag().text()} == "parse");
    }
    CHECK(std::string_view{allot::current_tag().text()} == "request");
    // [example]
  }

  TEST_CASE("there is no tag outside of every scope, and a scope of no tag hides the one around it") {
    CHECK(allot::current_tag().text() == nullptr);
    const allot::tag_scope outer{"outer"};
    {
      const allot::tag_scope none{allot::tag_name{}};
      CHECK(current() == "-");
    }
    CHECK(current() == "outer");
  }

  TEST_CASE("a thread starts without a tag, and a tag can be carried over") {
    const allot::tag_scope scope{"main"};
    std::string_view at_start;
    std::string_view carried;
    std::thread{[&, tag = allot::current_tag()] {
      at_start = current();
      const allot::tag_scope here{tag};
      carried = current();
    }}.join();
    CHECK(at_start == "-");
    CHECK(carried == "main");
    CHECK(current() == "main");
  }

#if ALLOT_EXCEPTIONS
  TEST_CASE("an exception that leaves a scope brings back the tag before it") {
    const allot::tag_scope outer{"outer"};
    try {
      const allot::tag_scope inner{"inner"};
      throw std::runtime_error{"no"};
    } catch (const std::runtime_error&) {
      CHECK(current() == "outer");
    }
  }
#endif

  TEST_CASE("a signal handler has the tag of the thread that it interrupts") {
    const auto before = std::signal(SIGUSR1, look);
    const allot::tag_scope scope{"interrupted"};
    std::raise(SIGUSR1);
    std::signal(SIGUSR1, before);
    CHECK(std::string_view{seen_by_handler} == "interrupted");
  }

#if ALLOT_TEST_INTRUDES
  TEST_CASE("wherever in a scope's start or end a handler comes, it has the tag before or the one after") {
    const allot::tag_scope outer{"outer"};
    unsigned inner_seen = 0;
    std::string_view seen;
    const auto scope = [] {
      const allot::tag_scope inner{"inner"};
      std::atomic_signal_fence(std::memory_order_seq_cst); // else a compiler sees that the scope is empty
    };
    for (std::size_t at = 1; support::intrude(at, scope, [&] { seen = current(); }); at += support::next_intrusion) {
      REQUIRE((seen == "outer" || seen == "inner"));
      if (seen == "inner") ++inner_seen;
    }
    CHECK(seen == "outer");
    CHECK(inner_seen > 0);
  }
#endif

  TEST_CASE("names of the same text have the same hash, wherever the text lies and whenever it is read") {
    static const std::string configured{"parse"};
    const allot::tag_name literal{"parse"};
    const allot::tag_name made = allot::tag_name::of_static(configured.c_str());
    CHECK(literal.text() != made.text());
    CHECK(literal.hash() == made.hash());
    const allot::tag_name another{"parsf"};
    CHECK(literal.hash() != another.hash());
    CHECK(literal.hash() == 0x423B42EC); // 32-bit FNV-1a
  }

  TEST_CASE("a name is made from a constant of static storage duration, by the compiler") {
    static constexpr char array[] = "array";
    constexpr allot::tag_name name{array};
    static_assert(name.text() == array);
    CHECK(std::string_view{name.text()} == "array");
    CHECK_FALSE(std::is_convertible_v<const char*, allot::tag_name>);
    CHECK_FALSE(std::is_convertible_v<std::string, allot::tag_name>);
  }

#if ALLOT_CHECK_LEVEL > 0
  TEST_CASE("stops where scopes end in another order than they began in, or in another thread") {
    CHECK(dies(
        [] {
          auto outer = std::make_unique<allot::tag_scope>(allot::tag_name{"outer"});
          const allot::tag_scope inner{"inner"};
          outer.reset();
        },
        "innermost_ == this"));
    CHECK(dies(
        [] {
          auto scope = std::make_unique<allot::tag_scope>(allot::tag_name{"mine"});
          std::thread{[&] { scope.reset(); }}.join();
        },
        "innermost_ == this"));
    CHECK(dies([] { (void)allot::tag_name::of_static(nullptr); }, "text != nullptr"));
  }
#endif
}
