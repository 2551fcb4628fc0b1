#include <allot/testing/stack_source.hpp> // first: proves that the header stands alone

#include <allot/testing/checking_resource.hpp>
#include <allot/testing/conformance.hpp>

#include <doctest/doctest.h>

#include <algorithm>
#include <cstddef>
#include <cstdio>
#include <cstring>
#include <initializer_list>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "support/conformance.hpp"
#include "support/death.hpp"

namespace {

/// A source whose stacks are what the test says; a frame is the text that describes it.
class written_stacks {
public:
  void be_in(std::initializer_list<const char*> frames) { now_.assign(frames.begin(), frames.end()); }

  [[nodiscard]] allot::stack_source source() noexcept {
    return {.capture =
                [](std::span<const void*> frames, void* user) noexcept {
                  auto& self = *static_cast<written_stacks*>(user);
                  ++self.captures;
                  const std::size_t n = std::min(frames.size(), self.now_.size());
                  std::copy_n(self.now_.begin(), n, frames.begin());
                  return n;
                },
            .describe =
                [](const void* frame, std::span<char> text, void* user) noexcept {
                  ++static_cast<written_stacks*>(user)->descriptions;
                  const auto* const name = static_cast<const char*>(frame);
                  const int n = std::snprintf(text.data(), text.size(), "%s", name[0] == '?' ? "" : name);
                  return static_cast<std::size_t>(n);
                },
            .user = this};
  }

  std::size_t captures = 0;
  std::size_t descriptions = 0;

private:
  std::vector<const void*> now_;
};

struct traced_fixture {
  written_stacks stacks;
  allot::stack_source source = stacks.source();
  allot::checking_resource r{{.action = allot::on_fault::record, .stacks = &source}};
  auto& resource() { return r; }
};

std::string described(const allot::call_stack& stack, const allot::stack_source& source) {
  char text[1000];
  return {text, describe(stack, source, text)};
}

std::string leaks_of(const allot::checking_resource& memory) {
  char text[4000];
  return {text, memory.report_leaks(text)};
}

/// The position of `part` in `text`; the test fails where it is not there.
std::size_t at(std::string_view text, std::string_view part) {
  const std::size_t position = text.find(part);
  CHECK_MESSAGE(position != std::string_view::npos, part, " is not in: ", text);
  return position;
}

} // namespace

TEST_SUITE("stack_source") {
  TEST_CASE("a checking_resource that takes stacks keeps the contract of a memory resource") {
    check_contract<traced_fixture>();
  }

  TEST_CASE("a stack is described a line for each frame, innermost first") {
    written_stacks stacks;
    const allot::stack_source source = stacks.source();
    stacks.be_in({"leaf() at a.cpp:1", "root() at b.cpp:2"});
    const auto stack = allot::call_stack::of_caller(source);
    CHECK(stack.depth == 2);
    CHECK(described(stack, source) == "    #0 leaf() at a.cpp:1\n    #1 root() at b.cpp:2\n");

    char few[12];
    CHECK(describe(stack, source, few) == described(stack, source).size());
    CHECK(std::string_view{few} == "    #0 leaf");
    CHECK(describe(stack, source, {}) == described(stack, source).size());
  }

  TEST_CASE("a frame of which nothing is known is an address") {
    written_stacks stacks;
    const allot::stack_source source = stacks.source();
    static const char unknown[] = "?";
    stacks.be_in({unknown});
    char address[40];
    std::snprintf(address, sizeof address, "    #0 %p\n", static_cast<const void*>(unknown));
    CHECK(described(allot::call_stack::of_caller(source), source) == address);
  }

  TEST_CASE("allot's own frames are left out where they are innermost, and only there") {
    written_stacks stacks;
    const allot::stack_source source = stacks.source();
#define ALLOT_TEST_TEXT(x) #x
#define ALLOT_TEST_EXPANDED(x) ALLOT_TEST_TEXT(x)
    static const char own[] = "allot::" ALLOT_TEST_EXPANDED(ALLOT_ABI) "::checking_resource::give_out at x.cpp:1";
    stacks.be_in({own, own, "user(allot::checking_resource&) at u.cpp:3", own});
    CHECK(described(allot::call_stack::of_caller(source), source) ==
          "    #0 user(allot::checking_resource&) at u.cpp:3\n    #1 " + std::string{own} + "\n");
  }

  TEST_CASE("outer frames beyond the most that a stack keeps are left out") {
    written_stacks stacks;
    const allot::stack_source source = {.capture =
                                            [](std::span<const void*> frames, void*) noexcept {
                                              std::ranges::fill(frames, frames.data());
                                              return frames.size() + 7; // says more than there was room for
                                            },
                                        .describe = stacks.source().describe};
    CHECK(allot::call_stack::of_caller(source).depth == allot::call_stack::most_frames);
  }

  TEST_CASE("stacks are equal where all their frames are") {
    written_stacks stacks;
    const allot::stack_source source = stacks.source();
    static const char a[] = "a", b[] = "b";
    const auto stack = [&](std::initializer_list<const char*> frames) {
      stacks.be_in(frames);
      return allot::call_stack::of_caller(source);
    };
    CHECK(stack({a, b}) == stack({a, b}));
    CHECK(stack({a, b}).hash() == stack({a, b}).hash());
    CHECK(stack({a, b}) != stack({b, a}));
    CHECK(stack({a, b}) != stack({a}));
    CHECK(stack({a, b}).hash() != stack({b, a}).hash());
  }

  TEST_CASE("leaks are listed by the stack that asked for them, with their number and their bytes") {
    written_stacks stacks;
    const allot::stack_source source = stacks.source();
    allot::checking_resource memory{{.name = "rx", .action = allot::on_fault::record, .stacks = &source}};
    static const char loop[] = "loop() at l.cpp:5", once[] = "once() at o.cpp:6", main[] = "main at m.cpp:7";
    for (std::size_t i = 0; i < 3; ++i) {
      stacks.be_in({loop, main});
      (void)memory.allocate(10 + i, 2);
      if (i == 1) {
        stacks.be_in({once, main});
        (void)memory.allocate(100, 4);
      }
    }
    stacks.be_in({once});
    memory.deallocate(memory.allocate(7, 1), 7, 1); // no leak, and in no group

    const std::string text = leaks_of(memory);
    const std::size_t group =
        at(text, "allot: checking_resource \"rx\": leak: 3 blocks, 33 bytes in all, were never given "
                 "back; the first is block #1 (10 bytes aligned to 2 at 0x");
    const std::size_t its_frames =
        at(text, ")\n  they were asked for by\n    #0 loop() at l.cpp:5\n    #1 main at m.cpp:7\n");
    const std::size_t single =
        at(text, "allot: checking_resource \"rx\": leak: block #3 (100 bytes aligned to 4 at 0x");
    const std::size_t single_frames =
        at(text, "was never given back\n  the block was asked for by\n    #0 once() at o.cpp:6\n");
    CHECK(group < its_frames);
    CHECK(its_frames < single);
    CHECK(single < single_frames);
    CHECK(std::ranges::count(text, '\n') == 8);
    CHECK(leaks_of(memory) == text); // a list leaves nothing behind that the next one would count
  }

  TEST_CASE("a stack of names longer than a report has room for ends at a line, and the next leak has one of its own") {
    static char names[2][1001];
    for (char* const name : names)
      std::memset(name, name == names[0] ? 'a' : 'b', 1000);
    static std::size_t next = 0;
    const allot::stack_source source = {.capture =
                                            [](std::span<const void*> frames, void*) noexcept {
                                              std::ranges::fill(frames, names[next++]);
                                              return frames.size();
                                            },
                                        .describe =
                                            [](const void* frame, std::span<char> text, void*) noexcept {
                                              const auto* const name = static_cast<const char*>(frame);
                                              const int n = std::snprintf(text.data(), text.size(), "%s", name);
                                              return static_cast<std::size_t>(n);
                                            }};
    allot::checking_resource memory{{.action = allot::on_fault::record, .stacks = &source}};
    (void)memory.allocate(1, 1);
    (void)memory.allocate(2, 1);

    std::vector<char> text(70'000);
    const std::string_view list{text.data(), memory.report_leaks(text)};
    const std::size_t second = list.find("allot: checking_resource: leak: block #2");
    REQUIRE(second != list.npos);
    CHECK(list.substr(0, second).ends_with("aaa\n"));
    CHECK(list.ends_with("bbb\n"));
    CHECK(std::ranges::count(list, '\n') > 2 * 10);
  }

  TEST_CASE("a double free shows who asked for the block, who gave it back, and who did again") {
    CHECK(dies(
        [] {
          written_stacks stacks;
          const allot::stack_source source = stacks.source();
          allot::checking_resource memory{{.stacks = &source}};
          stacks.be_in({"maker() at a.cpp:1"});
          void* const p = memory.allocate(8, 8);
          stacks.be_in({"owner() at b.cpp:2"});
          memory.deallocate(p, 8, 8);
          stacks.be_in({"culprit() at c.cpp:3"});
          memory.deallocate(p, 8, 8);
        },
        " came back a second time\n  the block was asked for by\n    #0 maker() at a.cpp:1\n"
        "  it was given back by\n    #0 owner() at b.cpp:2\n"
        "  and now it came back by\n    #0 culprit() at c.cpp:3\n"));
  }

  TEST_CASE("a handler sees the stacks, and what the resource keeps has none") {
    written_stacks stacks;
    allot::stack_source source = stacks.source();
    static std::string heard;
    heard.clear();
    const auto handler = [](const allot::memory_report& what, void* user) noexcept {
      char text[1000];
      heard.assign(text, describe(what, *static_cast<allot::stack_source*>(user), text));
    };
    allot::checking_resource memory{{.handler = handler, .user = &source, .stacks = &source}};
    stacks.be_in({"maker() at a.cpp:1"});
    void* const p = memory.allocate(8, 8);
    stacks.be_in({"culprit() at c.cpp:3"});
    memory.deallocate(p, 9, 8);

    CHECK(at(heard, "came back as 9 bytes") < at(heard, "asked for by\n    #0 maker()"));
    CHECK(heard.ends_with("  and now it came back by\n    #0 culprit() at c.cpp:3\n"));
    for (const auto& kept : {memory.first_error(), memory.last_error()}) {
      REQUIRE(kept);
      CHECK(kept->asked_by == nullptr);
      CHECK(kept->freed_by == nullptr);
      CHECK(kept->found_by == nullptr);
    }
  }

  TEST_CASE("a stack is taken for each call, and described for a report alone") {
    written_stacks stacks;
    const allot::stack_source source = stacks.source();
    allot::checking_resource memory{{.stacks = &source}};
    stacks.be_in({"f() at f.cpp:1"});
    for (int i = 0; i < 10; ++i)
      memory.deallocate(memory.allocate(8, 8), 8, 8);
    CHECK(stacks.captures == 20);
    CHECK(stacks.descriptions == 0);
  }

  TEST_CASE("groups are found however many stacks there are, also where their hashes meet in one list") {
    written_stacks stacks;
    const allot::stack_source source = stacks.source();
    allot::checking_resource memory{{.action = allot::on_fault::record, .stacks = &source}};
    std::vector<std::string> names;
    for (int i = 0; i < 1000; ++i)
      names.push_back(std::string{"f"}.append(std::to_string(i)));
    for (int round = 0; round < 2; ++round) {
      for (const std::string& name : names) {
        stacks.be_in({name.c_str()});
        (void)memory.allocate(4, 4);
      }
    }
    std::vector<char> text(300'000);
    const std::string_view all{text.data(), memory.report_leaks(text)};
    CHECK(std::ranges::count(all, '\n') == 3000);
    std::size_t pairs = 0;
    for (std::size_t i = 0; (i = all.find(": 2 blocks, 8 bytes in all", i)) != all.npos; ++i)
      ++pairs;
    CHECK(pairs == 1000);
  }
}
