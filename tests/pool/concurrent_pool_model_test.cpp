// Random calls of a concurrent_pool_resource against what each thread believes of its blocks.

#include <allot/pool/concurrent_pool_resource.hpp>

#include <allot/testing/split_mix.hpp>

#include "pool/serial_upstream.hpp"
#include "support/race.hpp"
#include "support/shadow_model.hpp"

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <mutex>
#include <optional>
#include <vector>

namespace {

using pool_type = allot::concurrent_pool_resource<support::serial_upstream>;

/// Sizes of every kind, and few that only cost time.
allot::layout some_request(allot::split_mix& random) {
  allot::layout wanted = support::random_request(random);
  if (wanted.bytes > 10'000 && random.below(4) != 0) wanted.bytes %= 5000;
  wanted.alignment = std::min<std::size_t>(wanted.alignment, 1 << 14);
  return wanted;
}

/// A block with contents that say which it is.
struct signed_block {
  void* p;
  allot::layout shape;
  std::uint64_t seed;

  void sign() const {
    allot::split_mix signature{seed};
    for (std::size_t i = 0; i < shape.bytes; ++i)
      static_cast<unsigned char*>(p)[i] = static_cast<unsigned char>(signature());
  }
  [[nodiscard]] bool is_signed() const {
    allot::split_mix signature{seed};
    for (std::size_t i = 0; i < shape.bytes; ++i)
      if (static_cast<unsigned char*>(p)[i] != static_cast<unsigned char>(signature())) return false;
    return true;
  }
};

/// Blocks on their way from thread to thread.
class exchange {
public:
  void put(const signed_block& b) {
    const std::lock_guard held{lock_};
    blocks_.push_back(b);
  }
  std::optional<signed_block> take(std::size_t any) {
    const std::lock_guard held{lock_};
    if (blocks_.empty()) return std::nullopt;
    std::swap(blocks_[any % blocks_.size()], blocks_.back());
    const signed_block b = blocks_.back();
    blocks_.pop_back();
    return b;
  }

private:
  std::mutex lock_;
  std::vector<signed_block> blocks_;
};

/// What one thread does; every block that it meets must be as it was signed.
/// \return blocks that were not
std::size_t work(pool_type& pool, exchange& others, std::uint64_t seed, int turns) {
  allot::split_mix random{seed};
  std::vector<signed_block> mine;
  std::size_t bad = 0;
  const auto give_back = [&](const signed_block& b) {
    if (!b.is_signed()) ++bad;
    pool.deallocate(b.p, b.shape.bytes, b.shape.alignment);
  };
  for (int turn = 0; turn < turns; ++turn) {
    const std::size_t what = random.below(16);
    if (what < 8) {
      const allot::layout wanted = some_request(random);
      void* const p = pool.try_allocate(wanted.bytes, wanted.alignment);
      if (p == nullptr) continue;
      if (!allot::is_aligned(p, wanted.alignment)) ++bad;
      mine.push_back({p, wanted, random()});
      mine.back().sign();
    } else if (what < 14 && !mine.empty()) {
      std::swap(mine[random.below(mine.size())], mine.back());
      what < 11 ? give_back(mine.back()) : others.put(mine.back());
      mine.pop_back();
    } else if (const auto b = others.take(random.below(1000)); what == 14 && b) {
      give_back(*b);
    } else if (b) {
      mine.push_back(*b);
    } else if (random.below(64) == 0) {
      (void)pool.trim();
    }
  }
  for (const signed_block& b : mine)
    give_back(b);
  return bad;
}

void run_alone(std::uint64_t seed, const std::pmr::pool_options& options) {
  CAPTURE(seed);
  allot::split_mix random{seed};
  support::serial_upstream up;
  up.failing().fail_with_probability(random.below(3) == 0 ? 0.2 : 0, seed);
  pool_type pool{options, up};
  support::shadow_model model;
  std::size_t used = 0;
  const auto counted = [&](const auto& b) { // as the pool counts it
    const std::size_t key = ((b.shape.bytes == 0 ? 1 : b.shape.bytes) - 1) | (b.shape.alignment - 1);
    if (key >= pool.options().largest_required_pool_block) return b.shape.bytes;
    std::size_t index = 0;
    while (pool.class_figures(index).block_bytes <= key)
      ++index;
    return pool.class_figures(index).block_bytes;
  };
  for (int turn = 0; turn < 500; ++turn) {
    if (const std::size_t what = random.below(40); what == 0) {
      const std::size_t reserved = pool.reserved();
      const std::size_t given_back = pool.trim();
      REQUIRE(pool.reserved() == reserved - given_back);
      REQUIRE(pool.cached() == 0);
    } else if (what == 1 && random.below(4) == 0) {
      model.clear();
      pool.release();
      used = 0;
      REQUIRE(up.memory().live_blocks() == 0);
    } else if (what < 17 && model.size() != 0) {
      const auto b = model.remove(random.below(model.size()));
      used -= counted(b);
      pool.deallocate(b.p, b.shape.bytes, b.shape.alignment);
    } else {
      const auto [bytes, alignment] = some_request(random);
      if (void* const p = pool.try_allocate(bytes, alignment)) {
        REQUIRE(pool.owns(p) == (bytes == 0 ? pool.owns(p) : allot::ownership::yes));
        model.add(p, {bytes, alignment});
        used += counted(model.live().back());
      }
    }
    REQUIRE(pool.used() == used);
    REQUIRE(pool.reserved() == up.memory().live_bytes());
    REQUIRE(pool.cached() <= pool.most_cached_per_thread());
  }
  model.clear();
}

} // namespace

TEST_SUITE("concurrent_pool_resource, model") {
  TEST_CASE("random calls of one thread agree with a model, over an upstream that fails now and then") {
    for (std::uint64_t seed = 1; seed <= 40; ++seed)
      run_alone(seed, {});
    for (std::uint64_t seed = 41; seed <= 60; ++seed)
      run_alone(seed, {5, 300});
  }

  TEST_CASE("random calls of several threads that pass blocks on keep every block's contents") {
    for (std::uint64_t seed = 1; seed <= 6; ++seed) {
      CAPTURE(seed);
      support::serial_upstream up;
      pool_type pool{up};
      exchange others;
      std::atomic<std::size_t> bad{0};
      race(4, 2,
           [&](unsigned thread, unsigned round) { bad += work(pool, others, seed * 100 + thread * 10 + round, 1500); });
      while (const auto b = others.take(0)) {
        if (!b->is_signed()) ++bad;
        pool.deallocate(b->p, b->shape.bytes, b->shape.alignment);
      }
      CHECK(bad == 0);
      CHECK(pool.used() == 0);
      CHECK(pool.reserved() == up.memory().live_bytes());
      CHECK_FALSE(up.met_two_threads());
      CHECK(up.memory().check() == 0);
      (void)pool.trim();
      CHECK(pool.cached() == 0);
      CHECK(up.memory().live_blocks() <= 1); // this thread's magazines
    }
  }

  TEST_CASE("the same over an upstream that fails from its k-th call on, for every k") {
    for (std::size_t k = 1; k <= 40; ++k) {
      CAPTURE(k);
      support::serial_upstream up;
      pool_type pool{up};
      up.failing().fail_from(k);
      exchange others;
      std::atomic<std::size_t> bad{0};
      race(3, 1, [&](unsigned thread, unsigned) { bad += work(pool, others, k * 10 + thread, 200); });
      while (const auto b = others.take(0))
        pool.deallocate(b->p, b->shape.bytes, b->shape.alignment);
      CHECK(bad == 0);
      CHECK(pool.used() == 0);
      CHECK(pool.reserved() == up.memory().live_bytes());
      pool.release();
      CHECK(up.memory().live_blocks() == 0);
    }
  }
}
