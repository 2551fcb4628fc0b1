// pool_resource over an upstream that refuses and misaligns: its figures are those of the blocks, and trim gives back.

#include <allot/pool/pool_resource.hpp>

#include "ask.hpp"
#include "pool_run.hpp"
#include "shadow.hpp"
#include "target.hpp"
#include "upstream.hpp"

#include <cstddef>

namespace {

using fuzz::input;

template <class Pool>
class pool_run {
public:
  pool_run(input& in, Pool& pool, fuzz::upstream& up) : in_{in}, pool_{pool}, up_{up} {}

  void go() {
    while (!in_.is_empty())
      step();
    blocks_.look();
    fuzz::check_pool(pool_, blocks_, up_);
  }

private:
  void step() {
    switch (in_.below(16)) {
    case 8:
    case 9:
    case 10: return free_one(in_.byte());
    case 11: return free_run();
    case 12: return trim();
    case 13: return up_.plan(in_);
    case 14: return in_.below(8) == 0 ? release() : many();
    case 15: return fuzz::check_pool(pool_, blocks_, up_);
    default: allocate(in_.request());
    }
  }

  void allocate(const allot::layout& wanted) {
    const std::size_t used = pool_.used();
    const std::size_t reserved = up_.bytes();
    const std::size_t refusals = up_.refusals();
    void* const p = fuzz::ask(pool_, wanted, in_.byte());
    if (p == nullptr) {
      FUZZ_REQUIRE(pool_.used() == used && up_.bytes() == reserved && up_.excuses(wanted, refusals));
      return;
    }
    blocks_.add(p, wanted);
    FUZZ_REQUIRE(pool_.owns(p) == allot::ownership::yes);
  }

  void many() {
    const allot::layout wanted = in_.request();
    for (std::size_t left = in_.below(64); left > 0; --left)
      allocate(wanted);
  }

  void free_one(std::size_t chosen) {
    if (blocks_.is_empty()) return;
    const auto gone = blocks_.remove(chosen % blocks_.size());
    fuzz::give_back(pool_, gone.p, gone.shape, in_.byte());
  }

  /// Blocks that came one after another: all of a chunk among them.
  void free_run() {
    if (blocks_.is_empty()) return;
    const std::size_t first = in_.byte() % blocks_.size();
    for (std::size_t left = in_.below(128); left > 0 && first < blocks_.size(); --left) {
      const auto gone = blocks_.remove(first);
      pool_.deallocate(gone.p, gone.shape.bytes, gone.shape.alignment);
    }
  }

  void trim() {
    const std::size_t before = up_.bytes();
    const std::size_t given = pool_.trim();
    FUZZ_REQUIRE(before - up_.bytes() == given);
    FUZZ_REQUIRE(!blocks_.is_empty() || up_.bytes() == 0);
    FUZZ_REQUIRE(pool_.trim() == 0);
  }

  void release() {
    blocks_.clear();
    pool_.release();
    FUZZ_REQUIRE(up_.blocks() == 0);
  }

  input& in_;
  Pool& pool_;
  fuzz::upstream& up_;
  fuzz::shadow blocks_;
};

void run(input& in) {
  fuzz::over_any_upstream(in, [&]<class Upstream>(fuzz::upstream& up, Upstream& below) {
    const auto options = fuzz::pool_options(in);
    allot::pool_resource<Upstream> pool{options, below, "fuzz"};
    pool_run{in, pool, up}.go();
  });
}

} // namespace

FUZZ_TARGET(run)
