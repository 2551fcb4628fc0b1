// Threads that live for a few milliseconds each take and free blocks, leave some for others to free, and end with their magazines
// full. Twice as many as there are cores are alive at any time.
//
// The rule: the most that was resident in the second half of the time is at most 5 % and 1 MiB above the most that was in
// the second quarter. (The first quarter is for the heap, the stacks and the pool to find their size. The mebibyte is for short
// runs, where a thread more or less shows.) At the end the pool has no block in use, and its upstream has everything back.

#include "soak.hpp"

#include "blocks.hpp"
#include "memory_probe.hpp"
#include "pinned.hpp"

#include <allot/pool/concurrent_pool_resource.hpp>

#include <algorithm>
#include <array>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <memory_resource>
#include <thread>
#include <vector>

namespace bench {

namespace {

using any = std::pmr::memory_resource;
using clock = std::chrono::steady_clock;

/// What a block of 16 bytes or more starts with; its last byte repeats the owner.
struct stamp {
  std::uint32_t bytes;
  std::uint32_t owner;
};

std::atomic<std::size_t> damaged{0};

unsigned char& last_byte(stamp* block, std::uint32_t bytes) {
  return reinterpret_cast<unsigned char*>(block)[bytes - 1];
}

stamp* take(any& r, std::uint32_t bytes, std::uint32_t owner) {
  auto* const block = ::new (r.allocate(bytes, alignof(stamp))) stamp{bytes, owner};
  last_byte(block, bytes) = static_cast<unsigned char>(owner);
  return block;
}

void give_back(any& r, stamp* block) {
  const auto [bytes, owner] = *block;
  if (last_byte(block, bytes) != static_cast<unsigned char>(owner)) damaged.fetch_add(1, std::memory_order_relaxed);
  r.deallocate(block, bytes, alignof(stamp));
}

/// Where blocks are left for whoever comes next.
class counter_top {
public:
  /// What lay there before, or null.
  stamp* swap(std::uint32_t where, stamp* block) noexcept {
    return slots_[where].exchange(block, std::memory_order_acq_rel);
  }
  void clear(any& r) {
    for (auto& slot : slots_) {
      if (stamp* const block = slot.exchange(nullptr)) give_back(r, block);
    }
  }

  static constexpr std::uint32_t size = 8192;

private:
  std::array<std::atomic<stamp*>, size> slots_{};
};

/// Mostly small; one in 4,096 is larger than every class.
std::uint32_t a_size(numbers& next) {
  const std::uint32_t kind = next(4096);
  if (kind == 0) return 100'000;
  if (kind < 256) return 16 + next(8192);
  return 16 + next(512);
}

/// A short life: some blocks of its own, of which one at random is replaced; every fourth is left on the counter and what lay
/// there freed. At its end it leaves what it has.
void live(any& r, counter_top& counter, std::uint32_t number) {
  numbers next{number};
  std::vector<stamp*> own(64 + next(1000));
  for (stamp*& block : own)
    block = take(r, a_size(next), number);
  const std::uint32_t turns = next(40'000);
  for (std::uint32_t turn = 0; turn < turns; ++turn) {
    stamp*& block = own[next(static_cast<std::uint32_t>(own.size()))];
    stamp* const old = turn % 4 == 0 ? counter.swap(next(counter_top::size), block) : block;
    if (old != nullptr) give_back(r, old);
    block = take(r, a_size(next), number);
  }
  for (stamp* const block : own) {
    if (stamp* const old = counter.swap(next(counter_top::size), block)) give_back(r, old);
  }
}

/// Threads one after the other until `ends`.
void keep_one_alive(any& r, counter_top& counter, std::atomic<std::uint32_t>& born, const std::atomic<bool>& ends) {
  while (!ends.load(std::memory_order_relaxed)) {
    const std::uint32_t number = born.fetch_add(1, std::memory_order_relaxed);
    std::thread{[&r, &counter, number] { live(r, counter, number); }}.join();
  }
}

/// The most that was resident in each second.
std::vector<std::size_t> sample(int seconds, const allot::concurrent_pool_resource<>& pool,
                                const std::atomic<std::uint32_t>& born) {
  std::vector<std::size_t> peaks;
  const auto start = clock::now();
  for (int second = 1; second <= seconds; ++second) {
    std::size_t peak = resident_bytes();
    while (clock::now() < start + std::chrono::seconds{second}) {
      peak = std::max(peak, resident_bytes());
      std::this_thread::sleep_for(std::chrono::milliseconds{20});
    }
    peaks.push_back(peak);
    std::printf("{\"second\": %d, \"resident_bytes\": %zu, \"reserved_bytes\": %zu, \"threads\": %u}\n", second, peak,
                pool.reserved(), born.load(std::memory_order_relaxed));
    std::fflush(stdout);
  }
  return peaks;
}

bool is_flat(const std::vector<std::size_t>& peaks) {
  const auto at = [&peaks](std::size_t quarter) {
    return peaks.begin() + static_cast<std::ptrdiff_t>(peaks.size() * quarter / 4);
  };
  const std::size_t settled = *std::max_element(at(1), at(2));
  const std::size_t later = *std::max_element(at(2), at(4));
  return later <= settled + settled / 20 + (std::size_t{1} << 20);
}

/// Prints why, and says whether there was a reason.
bool failed(bool right, const char* what) {
  if (!right) std::printf("soak: %s\n", what);
  return !right;
}

} // namespace

int soak(int seconds) {
  if (seconds < 4) {
    std::fputs("allot_bench: --soak needs at least 4 seconds\n", stderr);
    return 2;
  }
  counted_hop upstream{*std::pmr::new_delete_resource()};
  static counter_top counter;
  bool bad = false;
  {
    allot::concurrent_pool_resource<> pool{&upstream};
    std::atomic<std::uint32_t> born{0};
    std::atomic<bool> ends{false};
    std::vector<std::thread> lines;
    for (unsigned i = 0; i < 2 * cores(); ++i)
      lines.emplace_back([&] { keep_one_alive(pool, counter, born, ends); });
    const auto peaks = sample(seconds, pool, born);
    ends.store(true);
    for (std::thread& line : lines)
      line.join();
    counter.clear(pool);
    bad |= failed(is_flat(peaks), "what is resident grows");
    bad |= failed(damaged.load() == 0, "blocks were overwritten");
    bad |= failed(pool.used() == 0, "blocks are in use that nobody has");
  }
  bad |= failed(upstream.bytes().live() == 0, "upstream has not everything back");
  std::puts(bad ? "0 passed, 1 failed" : "1 passed, 0 failed");
  return bad ? 1 : 0;
}

} // namespace bench
