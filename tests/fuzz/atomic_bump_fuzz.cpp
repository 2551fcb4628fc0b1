// atomic_bump_resource as one thread sees it: in all but its marks what bump_resource must do.

#include <allot/arena/atomic_bump_resource.hpp>

#include "bump_run.hpp"
#include "target.hpp"

#include <span>

namespace {

template <std::size_t MinAlign>
using over_span = allot::atomic_bump_resource<std::dynamic_extent, MinAlign>;

void run(fuzz::input& in) {
  switch (in.below(4)) {
  case 0: return fuzz::run_bump_over_span<over_span<8>, 8>(in);
  case 1: return fuzz::run_bump_over_span<over_span<64>, 64>(in);
  case 2: return fuzz::run_bump_that_owns<allot::atomic_bump_resource<1000>, 1>(in);
  default: return fuzz::run_bump_over_span<over_span<1>, 1>(in);
  }
}

} // namespace

FUZZ_TARGET(run)
