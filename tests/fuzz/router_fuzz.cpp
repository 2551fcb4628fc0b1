// fallback_router and size_router over arenas, pools and an upstream that refuses: which one serves a request is foretold,
// and each block goes back to where it came from.

#include <allot/arena/bump_resource.hpp>
#include <allot/pool/block_pool_resource.hpp>
#include <allot/router/fallback_router.hpp>
#include <allot/router/size_router.hpp>

#include "ask.hpp"
#include "bump_model.hpp"
#include "shadow.hpp"
#include "target.hpp"
#include "upstream.hpp"

#include <array>
#include <cstddef>

namespace {

using fuzz::input;

/// container -> up to 64 bytes: nodes, then the last; up to a limit: scratch, then spare, then the last; else the last
class router_run {
  using arena = allot::bump_resource<>;
  using nodes_type = allot::block_pool_resource<64, 8>;

public:
  explicit router_run(input& in)
      : in_{in},
        middle_limit_{65 + in.below(200)},
        scratch_{std::span{scratch_memory_}.first(in.byte() * std::size_t{4}), "scratch"},
        spare_{std::span{spare_memory_}.first(in.byte() * std::size_t{4}), "spare"},
        nodes_{std::span{node_memory_}.first(in.byte() * std::size_t{4}), "nodes"},
        scratch_model_{scratch_memory_.data(), scratch_.capacity(), 1},
        spare_model_{spare_memory_.data(), spare_.capacity(), 1},
        router_{"fuzz", allot::up_to(64, small_), allot::up_to(middle_limit_, middle_), allot::otherwise(last_)} {}

  void go() {
    while (!in_.is_empty()) {
      const std::size_t operation = in_.below(8);
      if (operation == 7) {
        last_.plan(in_);
      } else if (operation >= 4 && !blocks_.is_empty()) {
        free_one(in_.byte() % blocks_.size());
      } else {
        allocate(in_.request());
      }
      FUZZ_REQUIRE(scratch_.used() == scratch_model_.used() && spare_.used() == spare_model_.used());
      FUZZ_REQUIRE(nodes_.used() == live_nodes_ * nodes_type::block_bytes);
    }
    while (!blocks_.is_empty())
      free_one(blocks_.size() - 1);
    FUZZ_REQUIRE(last_.blocks() == 0 && nodes_.used() == 0);
  }

private:
  void allocate(const allot::layout& wanted) {
    const std::size_t requests = last_.requests();
    void* const p = fuzz::ask(router_, wanted, in_.byte());
    const bool asked_the_last = last_.requests() != requests;
    if (wanted.bytes <= 64) {
      const bool fits = wanted.alignment <= 8 && (live_nodes_ + 1) * nodes_type::block_bytes <= nodes_.capacity();
      FUZZ_REQUIRE(asked_the_last == !fits);
      if (fits) {
        FUZZ_REQUIRE(nodes_.owns(p) == allot::ownership::yes);
        ++live_nodes_;
      }
    } else if (wanted.bytes <= middle_limit_) {
      allocate_in_the_middle(wanted, p, asked_the_last);
    } else {
      FUZZ_REQUIRE(asked_the_last);
    }
    if (p == nullptr) return;
    FUZZ_REQUIRE(!asked_the_last || last_.owns(p) == allot::ownership::yes);
    FUZZ_REQUIRE(router_.owns(p) == allot::ownership::yes);
    blocks_.add(p, wanted);
  }

  void allocate_in_the_middle(const allot::layout& wanted, void* p, bool asked_the_last) {
    for (fuzz::bump_model* const model : {&scratch_model_, &spare_model_}) {
      if (const auto at = model->fit(wanted)) {
        FUZZ_REQUIRE(reinterpret_cast<std::uintptr_t>(p) == *at && !asked_the_last);
        return model->take(*at);
      }
    }
    FUZZ_REQUIRE(asked_the_last);
  }

  void free_one(std::size_t index) {
    const auto gone = blocks_.remove(index);
    const std::size_t below = last_.blocks();
    const bool is_the_lasts = last_.owns(gone.p) == allot::ownership::yes;
    if (nodes_.owns(gone.p) == allot::ownership::yes) --live_nodes_;
    for (fuzz::bump_model* const model : {&scratch_model_, &spare_model_}) {
      if (model->holds(gone.p)) model->give_back(reinterpret_cast<std::uintptr_t>(gone.p), gone.shape.bytes);
    }
    fuzz::give_back(router_, gone.p, gone.shape, in_.byte());
    FUZZ_REQUIRE(below - last_.blocks() == (is_the_lasts ? 1 : 0));
  }

  input& in_;
  std::size_t middle_limit_;
  alignas(16) std::array<std::byte, 1024> scratch_memory_{};
  alignas(16) std::array<std::byte, 1024> spare_memory_{};
  alignas(16) std::array<std::byte, 1024> node_memory_{};
  arena scratch_;
  arena spare_;
  nodes_type nodes_;
  fuzz::upstream last_;
  fuzz::bump_model scratch_model_;
  fuzz::bump_model spare_model_;
  std::size_t live_nodes_ = 0;
  fuzz::shadow blocks_;
  allot::fallback_router<nodes_type, fuzz::upstream> small_{nodes_, last_, "small"};
  allot::fallback_router<arena, fuzz::upstream> rest_{spare_, last_, "rest"};
  allot::fallback_router<arena, allot::fallback_router<arena, fuzz::upstream>> middle_{scratch_, rest_, "middle"};
  allot::size_router<allot::fallback_router<nodes_type, fuzz::upstream>,
                     allot::fallback_router<arena, allot::fallback_router<arena, fuzz::upstream>>, fuzz::upstream>
      router_;
};

void run(input& in) { router_run{in}.go(); }

} // namespace

FUZZ_TARGET(run)
