#include <allot/testing/probe_upstream.hpp>

#include <support/conformance.hpp>

#include <doctest/doctest.h>

namespace {

struct fixture {
  allot::probe_upstream r;
  auto& resource() { return r; }
};

} // namespace

TEST_SUITE("probe_upstream") {
  TEST_CASE("keeps the contract of a memory resource") { check_contract<fixture>(); }

  TEST_CASE("tells at its end what leaked and what was overwritten, in blocks that leaked too") {
    allot::upstream_verdict end;
    {
      allot::probe_upstream up;
      up.tell_at_end(end);
      auto* const p = static_cast<unsigned char*>(up.allocate(8, 8));
      p[8] = 1;
      (void)up.allocate(8, 8);
      CHECK_FALSE(end.ended);
    }
    CHECK(end.ended);
    CHECK(end.leaked_blocks == 2);
    CHECK(end.errors == 1);
    CHECK(end.first_error->fault == allot::memory_fault::overrun);
  }

  TEST_CASE("a clean end is a clean verdict") {
    allot::upstream_verdict end;
    {
      allot::probe_upstream up;
      up.tell_at_end(end);
      up.deallocate(up.allocate(8, 8), 8, 8);
    }
    CHECK(end.ended);
    CHECK(end.leaked_blocks == 0);
    CHECK(end.errors == 0);
    CHECK_FALSE(end.first_error);
  }

  TEST_CASE("fails when it is told to, by either call, and owns what its memory owns") {
    allot::probe_upstream up;
    up.failing().fail_at(1);
    CHECK(up.try_allocate(8, 8) == nullptr);
#if ALLOT_EXCEPTIONS
    up.failing().fail_at(1);
    CHECK_THROWS_AS((void)up.allocate(8, 8), allot::out_of_memory);
#endif
    CHECK(up.memory().attempts() == 0);
    void* const p = up.allocate(8, 8);
    CHECK(up.owns(p) == allot::ownership::yes);
    CHECK(up.owns(&up) == allot::ownership::no);
    up.deallocate(p, 8, 8);
  }
}
