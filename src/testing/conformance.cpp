#include <allot/testing/conformance.hpp>

#include <allot/testing/conformance_checks.hpp>
#include <allot/testing/conformance_shelf.hpp>

#include <span>

namespace allot::inline ALLOT_ABI {
namespace {

using namespace detail::conformance;

constexpr conformance_check all_checks[] = {
    {"never_null", "allocate never gives null", run_never_null},
    {"serves", "ordinary requests are served, or, where it is bounded, the first one", run_serves},
    {"alignment", "a block starts at a multiple of its alignment, for 1 to 4096", run_alignment},
    {"large_alignment", "alignments to 2^30 are served, or refused with no harm done", run_large_alignment},
    {"huge_sizes", "sizes near SIZE_MAX are refused by std::bad_alloc or null, with no harm done", run_huge_sizes},
    {"zero_bytes", "zero bytes have an address of their own", run_zero_bytes},
    {"contents", "live blocks do not overlap and keep their contents", run_contents},
    {"any_order", "blocks can be given back in any order", run_any_order},
    {"exhaustion", "a bounded resource refuses again what it refused, and gives again what came back", run_exhaustion},
    {"reuse", "memory that came back is used again", run_reuse},
    {"clean_books", "a refusal leaves used() and high_water() as they were", run_clean_books},
    {"figures", "used(), high_water() and capacity() agree with the live blocks and each other", run_figures},
    {"remaining", "remaining(alignment) bytes fit, and one more does not", run_remaining},
    {"equality", "it is equal to itself and to nothing else", run_equality},
    {"owns", "owns tells its blocks from other memory, or says unknown", run_owns},
    {"deallocate_null", "deallocate ignores null", run_deallocate_null},
    {"try_never_throws", "try_allocate is noexcept and gives null on failure", run_try_never_throws},
    {"try_agrees", "try_allocate gives null exactly where allocate fails", run_try_agrees},
    {"idle_constructor", "the constructor asks upstream for nothing", run_constructor},
    {"asks_once", "no request asks upstream twice for the same", run_asks_once},
    {"gives_back", "upstream gets the pointer, the size and the alignment back that it gave", run_gives_back},
    {"in_bounds", "nothing is written outside of what upstream gave, or after it went back", run_in_bounds},
    {"goes_back_clean", "memory goes back to upstream unpoisoned", run_goes_back_clean},
    {"leaks_nothing", "when it ends, upstream has everything back", run_leaks_nothing},
    {"upstream_failure", "a failure of upstream is a clean one, and the request can be repeated", run_upstream_failure},
    {"upstream_failure_leaks", "no failure of upstream makes it lose a block", run_upstream_failure_leaks},
    {"quiet_deallocate", "deallocate does not fail when upstream has nothing more to give", run_deallocate_never_fails},
    {"random_model", "a random sequence agrees with a model of it", run_random_model},
};

} // namespace

std::span<const conformance_check> conformance_checks() noexcept { return all_checks; }

finding run_check(const conformance_check& check, const conformance_source& source) {
  finding found{.check = check.name};
  if (ways{source.traits()}.size() == 0) {
    does_not_apply(found, "without exceptions it cannot be asked: it has no try_allocate");
    return found;
  }
  source.tally() = {};
  check.run(source, found);
  found.requests = source.tally().requests;
  found.starved = source.tally().starved;
  if (found.result == verdict::passed && found.starved > found.requests / 2) {
    found.result = verdict::not_applicable;
    detail::write_line(found.reason, "malloc had no memory for {} of {} requests", found.starved, found.requests);
  }
  return found;
}

} // namespace allot::inline ALLOT_ABI
