#include <memory.hpp>
#include <options.hpp>
#include <refusal.hpp>
#include <request_head.hpp>
#include <request_memory.hpp>
#include <words.hpp>

#include <allot/adaptor/counting_adaptor.hpp>
#include <allot/testing/checking_resource.hpp>
#include <allot/testing/failing_adaptor.hpp>

#include <doctest/doctest.h>

#include <boost/json/storage_ptr.hpp>

#include <chrono>
#include <string>
#include <string_view>
#include <vector>

namespace {

using namespace std::chrono_literals;
using namespace allot::literals;

service::options parsed(std::vector<const char*> words) {
  words.insert(words.begin(), "service");
  return service::parse_options(static_cast<int>(words.size()), words.data());
}

std::string complaint(const std::vector<const char*>& words) {
  try {
    static_cast<void>(parsed(words));
  } catch (const service::usage_error& error) {
    return error.what;
  }
  return {};
}

std::string words_of(std::string_view document, std::size_t top = 10) {
  allot::checking_resource memory;
  auto boost = allot::as_boost(memory);
  return std::string{service::count_words(document, top, memory, boost::json::storage_ptr{&boost}).json};
}

} // namespace

TEST_SUITE("service::options") {
  TEST_CASE("sizes, times and names go where they belong, by either spelling") {
    const service::options o = parsed({"--port", "0", "--budget=1MiB", "--idle-timeout", "250ms", "--tenant", "a=64k",
                                       "--tenant", "b", "--memory", "new"});
    CHECK(o.port == 0);
    CHECK(o.budget == 1_MiB);
    CHECK(o.idle_timeout == 250ms);
    REQUIRE(o.tenants.size() == 2);
    CHECK(o.tenants[0].name == "a");
    CHECK(o.tenants[0].budget == 64_KiB);
    CHECK(o.tenants[1].budget == 0);
    CHECK(o.memory == service::memory_mode::plain_new);
  }

  TEST_CASE("times end in ms, s or m, and are a day at most") {
    CHECK(service::parse_time("--x", "2m") == 2min);
    CHECK(service::parse_time("--x", "7") == 7s);
    CHECK(service::parse_time("--x", "86400s") == 24h);
    for (const char* bad :
         {"", "s", "0", "-1s", "1h", "1.5s", "86401s", "99999999999999999999ms", "9223372036854775807m"})
      CHECK_THROWS_AS((void)service::parse_time("--x", bad), service::usage_error);
  }

  TEST_CASE("a complaint names the option and what was given") {
    CHECK(complaint({"--port", "65536"}).starts_with("--port: \"65536\" is not"));
    CHECK(complaint({"--tenant", "a b"}).starts_with("--tenant: \"a b\" is not"));
    CHECK(complaint({"--tenant", "a", "--tenant", "a=1MiB"}) == "--tenant: \"a\" is there twice");
    CHECK(complaint({"--tenant", "other"}).find("other") != std::string::npos);
    CHECK(complaint({"--budget"}).starts_with("--budget needs SIZE"));
    CHECK(complaint({"--budget", "257MiB"}).starts_with("--budget: "));
    CHECK(complaint({"stray"}).starts_with("unknown argument \"stray\""));
  }

  TEST_CASE("the usage says the defaults that an empty command line has") {
    const service::options o = parsed({});
    const std::string usage = service::usage_text();
    CHECK(o.port == 8080);
    CHECK(usage.find("default 8080") != std::string::npos);
    const auto says = [&usage](std::string_view option, std::size_t mebibytes) {
      const std::string line = usage.substr(usage.find("  " + std::string{option} + " "), 150);
      return line.find("default " + std::to_string(mebibytes) + "MiB") != std::string::npos;
    };
    CHECK(says("--budget", o.budget >> 20));
    CHECK(says("--tenant-budget", o.tenant_budget >> 20));
    CHECK(says("--request-budget", o.request_budget >> 20));
    CHECK(says("--body-limit", o.body_limit >> 20));
    CHECK(says("--discard-limit", o.discard_limit >> 20));
  }
}

TEST_SUITE("service::request_head") {
  TEST_CASE("a target of either form has a path and a query") {
    const auto is = [](std::string_view target, std::string_view path, std::string_view query) {
      const auto got = service::split_target(target);
      return got.path == path && got.query == query;
    };
    CHECK(is("/words?top=2", "/words", "top=2"));
    CHECK(is("/words", "/words", ""));
    CHECK(is("http://host:80/words?x", "/words", "x"));
    CHECK(is("http://host", "", ""));
    CHECK(is("*", "*", ""));
    CHECK(is("/a://b", "/a://b", ""));
  }

  TEST_CASE("top is a number in its range, and the default where it is not there") {
    CHECK(service::top_of("", 10, 1000) == 10);
    CHECK(service::top_of("x=1&top=7", 10, 1000) == 7);
    for (const char* bad : {"top=", "top=0", "top=1001", "top=-1", "top=7x", "top=99999999999999999999"})
      CHECK(service::top_of(bad, 10, 1000) == std::nullopt);
  }

  TEST_CASE("OpenMetrics is chosen where it is wanted at least as much as plain text") {
    CHECK(service::prefers_openmetrics("application/openmetrics-text;version=1.0.0,text/plain;q=0.5"));
    CHECK(service::prefers_openmetrics("text/plain;q=0.5, Application/OpenMetrics-Text ; q=0.5"));
    CHECK(!service::prefers_openmetrics("application/openmetrics-text;q=0.4,text/plain;q=0.5"));
    CHECK(!service::prefers_openmetrics("application/openmetrics-text;q=0"));
    CHECK(!service::prefers_openmetrics("*/*"));
    CHECK(!service::prefers_openmetrics(""));
  }

  TEST_CASE("JSON is told by its type, whatever the parameters and the case") {
    CHECK(service::is_json("application/json"));
    CHECK(service::is_json("Application/JSON; charset=utf-8"));
    CHECK(service::is_json("application/vnd.x+json"));
    CHECK(!service::is_json("application/jsonp"));
    CHECK(!service::is_json("+json"));
    CHECK(!service::is_json(""));
  }
}

TEST_SUITE("service::words") {
  TEST_CASE("strings count at any depth, names of members do not") {
    CHECK(words_of(R"({"key":["A b",{"key":"a"}],"n":1})") ==
          "{\"words\":[{\"word\":\"a\",\"count\":2},{\"word\":\"b\",\"count\":1}],\"distinct\":2,\"total\":3}\n");
  }

  TEST_CASE("equal counts are in the order of their bytes, and top cuts behind that order") {
    CHECK(words_of(R"(["c b a b"])", 2) ==
          "{\"words\":[{\"word\":\"b\",\"count\":2},{\"word\":\"a\",\"count\":1}],\"distinct\":3,\"total\":4}\n");
  }

  TEST_CASE("a document without a word is answered") {
    CHECK(words_of(R"([" ,;\u0000", 7, null, ""])") == "{\"words\":[],\"distinct\":0,\"total\":0}\n");
  }

  // Boost.JSON 1.81 gives the names of an object's members back with another alignment than it took them with where it
  // fails in the middle of the object (docs/interop.md): a checking resource must not see that.
  TEST_CASE("what is no document is an error with its place, and takes no memory with it") {
    allot::checking_resource memory;
    auto boost = allot::as_boost(memory);
    for (const std::string_view bad : {"", "[", "[1]x", "[\"\xff\"]"}) {
      const auto answer = service::count_words(bad, 10, memory, boost::json::storage_ptr{&boost});
      CHECK(answer.error);
      CHECK(answer.parsed <= bad.size());
    }
    const std::string deep(service::deepest_document + 1, '[');
    CHECK(service::count_words(deep, 10, memory, boost::json::storage_ptr{&boost}).error);
    CHECK(memory.live_blocks() == 0);
  }

  TEST_CASE("whichever allocation fails, everything goes back") {
    allot::checking_resource memory;
    allot::failing_adaptor failing{memory};
    auto boost = allot::as_boost(failing);
    const std::string document = R"([["one two three four five six seven eight nine ten"],["one two"],"three"])";
    bool served = false;
    for (std::size_t n = 0; !served; ++n) {
      REQUIRE(n < 100);
      failing.fail_at(n + 1);
      try {
        static_cast<void>(service::count_words(document, 10, failing, boost::json::storage_ptr{&boost}));
        served = true;
      } catch (const std::bad_alloc&) {
      }
      CHECK(memory.live_blocks() == 0);
    }
  }
}

TEST_SUITE("service::memory") {
  TEST_CASE("each level refuses for itself, and is told by its status; a request's end gives all back") {
    service::options chosen = parsed({"--budget", "1MiB", "--request-budget", "256KiB", "--tenant", "small=128KiB"});
    chosen.tenant_budget = 2_MiB;
    service::memory levels{chosen};
    const service::tenant& small = levels.find("small");
    const service::tenant& other = levels.find("nobody");
    CHECK(small.id == "small");
    CHECK(other.id == "other");

    const auto refused = [&](const service::tenant& whose, std::size_t bytes) {
      service::request_memory request{service::memory_mode::allot, whose, levels.request_budget()};
      CHECK(request.resource().try_allocate(bytes) == nullptr);
      const auto foreseen = request.shortage(bytes);
      REQUIRE(foreseen);
      const service::refusal first = service::refusal_for(*foreseen, whose);
      try {
        static_cast<void>(request.resource().allocate(bytes));
      } catch (const allot::out_of_memory& failed) {
        const service::refusal second = service::refusal_for(failed.record(), whose);
        CHECK(second.level == first.level);
        CHECK(second.asked_bytes == first.asked_bytes);
        CHECK(second.limit_bytes == first.limit_bytes);
      }
      return first;
    };
    CHECK(refused(small, 300_KiB).status == 413);
    CHECK(refused(small, 200_KiB).status == 429);
    CHECK(refused(small, 200_KiB).tenant == "small");
    CHECK(levels.live_bytes() == 0);

    void* const nearly_all = levels.process().allocate(1_MiB - 64_KiB);
    CHECK(refused(other, 100_KiB).status == 503);
    CHECK(refused(other, 100_KiB).level == "process");
    CHECK(refused(small, 200_KiB).level == "tenant"); // where several would refuse, the first that is asked
    levels.process().deallocate(nearly_all, 1_MiB - 64_KiB);
    CHECK(levels.live_bytes() == 0);

    {
      service::request_memory request{service::memory_mode::allot, other, levels.request_budget()};
      static_cast<void>(request.resource().allocate(1000));
      CHECK(levels.live_bytes() == service::arena_bytes);
      static_cast<void>(request.resource().allocate(100'000));
      CHECK(other.level->used() == levels.live_bytes());
    }
    CHECK(levels.live_bytes() == 0);
  }
}
