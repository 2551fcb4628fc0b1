#include <allot/detail/system_pages.hpp> // first: proves that the header stands alone

#include <allot/core/layout.hpp>

#include <support/death.hpp>
#include <support/mappings.hpp>

#include <doctest/doctest.h>

#include <cerrno>
#include <csignal>
#include <cstddef>
#include <cstring>
#include <limits>

#include <unistd.h>

namespace {

using namespace allot::literals;
using allot::detail::page_size;
using allot::detail::system_pages;
using support::mapped_within;

struct range {
  explicit range(std::size_t n) : bytes{n} { REQUIRE(system_pages.reserve(begin, bytes) == 0); }
  range(const range&) = delete;
  range& operator=(const range&) = delete;
  ~range() { CHECK(system_pages.unreserve(begin, bytes) == 0); }

  [[nodiscard]] bool can_be_written(std::size_t at) const {
    const auto end = support::ending_of([&] { static_cast<volatile std::byte*>(begin)[at] = std::byte{1}; });
    CHECK((end.exited(0) || end.was_killed_by(SIGSEGV) || end.was_killed_by(SIGBUS)));
    return end.exited(0);
  }

  std::byte* begin = nullptr;
  std::size_t bytes;
};

} // namespace

TEST_SUITE("system_pages") {
  TEST_CASE("the sizes of pages are the system's, and powers of two") {
    CHECK(page_size() == static_cast<std::size_t>(sysconf(_SC_PAGESIZE)));
    CHECK(allot::is_alignment(page_size()));
    const std::size_t huge = allot::detail::huge_page_size();
    CHECK((huge == 0 || (allot::is_alignment(huge) && huge > page_size())));
    CHECK(huge == allot::detail::huge_page_size());
  }

  TEST_CASE("what is reserved is inaccessible, what is committed is not, and what is vacated is again") {
    range r{64 * page_size()};
    CHECK_FALSE(r.can_be_written(0));
    REQUIRE(system_pages.commit(r.begin + page_size(), 2 * page_size()) == 0);
    CHECK_FALSE(r.can_be_written(page_size() - 1));
    CHECK(r.can_be_written(page_size()));
    CHECK(r.can_be_written(3 * page_size() - 1));
    CHECK_FALSE(r.can_be_written(3 * page_size()));
    r.begin[page_size()] = std::byte{7};
    REQUIRE(system_pages.vacate(r.begin + page_size(), page_size()) == 0);
    CHECK_FALSE(r.can_be_written(page_size()));
    CHECK(r.can_be_written(2 * page_size()));
    REQUIRE(system_pages.commit(r.begin + page_size(), page_size()) == 0);
    CHECK(r.begin[page_size()] == std::byte{0}); // it kept no memory
  }

  TEST_CASE("vacated pages join into one mapping, whatever was written to them") {
    range r{400 * page_size()};
    for (std::size_t i = 0; i < 400; i += 2) {
      REQUIRE(system_pages.commit(r.begin + i * page_size(), page_size()) == 0);
      r.begin[i * page_size()] = std::byte{1};
    }
    CHECK(mapped_within(r.begin, r.bytes).mappings == 400);
    for (std::size_t i = 0; i < 400; i += 2)
      REQUIRE(system_pages.vacate(r.begin + (i / 2 * 79 % 200) * 2 * page_size(), page_size()) == 0);
    CHECK(mapped_within(r.begin, r.bytes).mappings == 1);
    CHECK(mapped_within(r.begin, r.bytes).resident == 0);
  }

  TEST_CASE("discarded pages hold no memory and are zeros") {
    range r{4_MiB};
    REQUIRE(system_pages.commit(r.begin, 4_MiB) == 0);
    CHECK(mapped_within(r.begin, 4_MiB).resident < 1_MiB);
    std::memset(r.begin, 1, 4_MiB);
    CHECK(mapped_within(r.begin, 4_MiB).resident >= 4_MiB);
    REQUIRE(system_pages.discard(r.begin, 4_MiB) == 0);
    CHECK(mapped_within(r.begin, 4_MiB).resident < 1_MiB);
    CHECK(r.begin[5] == std::byte{0});
    CHECK(mapped_within(r.begin, 4_MiB).bytes == 4_MiB);
  }

  TEST_CASE("a refused call tells the system's error, and leaves errno as it was") {
    errno = 77;
    std::byte* p = nullptr;
    CHECK(system_pages.reserve(p, std::numeric_limits<std::size_t>::max() / 2 + 1) ==
          (ALLOT_VALGRIND ? EINVAL : ENOMEM));
    CHECK(p == nullptr);
    CHECK(errno == 77);
    range r{2 * page_size()};
    errno = 77;
    CHECK(system_pages.commit(r.begin + 1, page_size()) == EINVAL);
    CHECK(system_pages.vacate(r.begin + 1, page_size()) == EINVAL);
    CHECK(system_pages.discard(r.begin + 1, page_size()) == EINVAL);
    CHECK(system_pages.unreserve(r.begin + 1, page_size()) == EINVAL);
    CHECK(errno == 77);
  }
}
