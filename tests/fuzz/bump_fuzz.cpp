// bump_resource, over spans that begin and end anywhere and over bytes of its own, with every MinAlign in use.

#include <allot/arena/bump_resource.hpp>

#include "bump_run.hpp"
#include "target.hpp"

#include <span>

namespace {

template <std::size_t MinAlign>
using over_span = allot::bump_resource<std::dynamic_extent, MinAlign>;

void run(fuzz::input& in) {
  switch (in.below(8)) {
  case 0: return fuzz::run_bump_over_span<over_span<2>, 2>(in);
  case 1: return fuzz::run_bump_over_span<over_span<8>, 8>(in);
  case 2: return fuzz::run_bump_over_span<over_span<64>, 64>(in);
  case 3: return fuzz::run_bump_that_owns<allot::bump_resource<1>, 1>(in);
  case 4: return fuzz::run_bump_that_owns<allot::bump_resource<1000>, 1>(in);
  case 5: return fuzz::run_bump_that_owns<allot::bump_resource<1000, 16>, 16>(in);
  default: return fuzz::run_bump_over_span<over_span<1>, 1>(in);
  }
}

} // namespace

FUZZ_TARGET(run)
