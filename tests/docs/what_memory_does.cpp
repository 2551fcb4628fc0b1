// Runs the arenas and the pools on the same short sequence of requests, and prints what lies where after each step. The
// pictures of docs/choosing.md are drawn from that: see tools/docs_pictures.py.
//
//   picture NAME
//   step TEXT                                         what was called
//   chunk INDEX BYTES WHAT                            memory that the resource has at the end of the step
//   span INDEX OFFSET BYTES STATE LABEL               a part of a chunk: live, lost, books, first, second, ...
//   refused                                           the step's request failed

#include <allot/allot.hpp>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <functional>
#include <map>
#include <memory_resource>
#include <semaphore>
#include <span>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

namespace {

struct chunk {
  const std::byte* begin; // null once it was given back
  std::size_t bytes;
};

/// Lists what it has given out, in the order in which it was asked.
class listing_upstream final : public allot::resource_interface<listing_upstream> {
public:
  static constexpr const char* class_name = "listing_upstream";

  [[nodiscard]] const std::vector<chunk>& chunks() const noexcept { return chunks_; }

private:
  friend resource_interface;

  void* place(std::size_t bytes, std::size_t alignment) noexcept {
    void* const p = heap_.try_allocate(bytes, alignment);
    if (p != nullptr) chunks_.push_back({static_cast<std::byte*>(p), bytes});
    return p;
  }

  void give_back(void* p, std::size_t bytes, std::size_t alignment) noexcept {
    std::ranges::find(chunks_, static_cast<const std::byte*>(p), &chunk::begin)->begin = nullptr;
    heap_.deallocate(p, bytes, alignment);
  }

  allot::malloc_resource heap_;
  std::vector<chunk> chunks_;
};

struct block {
  char label;
  std::byte* begin;
  std::size_t bytes;
  const char* state; // live, or whose it is
};

std::size_t offset_in(const chunk& in, const void* p) {
  return static_cast<std::size_t>(static_cast<const std::byte*>(p) - in.begin);
}

bool lies_in(const chunk& in, const void* p) {
  const auto begin = reinterpret_cast<std::uintptr_t>(in.begin);
  const auto address = reinterpret_cast<std::uintptr_t>(p);
  return in.begin != nullptr && address >= begin && address - begin < in.bytes;
}

void print_step(const char* what) { std::printf("step %s\n", what); }

void print_chunk(std::size_t index, std::size_t bytes, const char* what) {
  std::printf("chunk %zu %zu %s\n", index, bytes, what);
}

void print_span(std::size_t index, std::size_t offset, std::size_t bytes, const char* state, char label = '-') {
  std::printf("span %zu %zu %zu %s %c\n", index, offset, bytes, state, label);
}

void print_blocks(std::span<const chunk> chunks, std::span<const block> blocks) {
  for (std::size_t i = 0; i < chunks.size(); ++i) {
    for (const block& b : blocks) {
      if (lies_in(chunks[i], b.begin)) print_span(i, offset_in(chunks[i], b.begin), b.bytes, b.state, b.label);
    }
  }
}

/// Asks one resource, and remembers what it has of it. After each step the memory is shown.
class play {
public:
  /// \param show  prints the memory, but for the blocks
  play(allot::resource& of, std::function<void()> show, std::function<std::vector<chunk>()> chunks)
      : of_{of}, show_{std::move(show)}, chunks_{std::move(chunks)} {}

  void take(char label, std::size_t bytes, const char* state = "live") {
    void* const p = of_.try_allocate(bytes, 8);
    if (p != nullptr) blocks_.push_back({label, static_cast<std::byte*>(p), bytes, state});
    std::printf("step %s%c = %zu\n", prefix(state), label, bytes);
    if (p == nullptr) std::puts("refused");
    show();
  }

  void give_back(char label, const char* state = "live") {
    const auto found = std::ranges::find(blocks_, label, &block::label);
    of_.deallocate(found->begin, found->bytes, 8);
    given_back_.push_back(*found);
    blocks_.erase(found);
    std::printf("step %sfree %c\n", prefix(state), label);
    show();
  }

  /// Blocks after `label` ended otherwise; by default all did.
  void end(const char* what, char label = '@') {
    std::erase_if(blocks_, [label](const block& b) { return b.label > label; });
    given_back_.clear();
    step(what);
  }

  void step(const char* what) const {
    print_step(what);
    show();
  }

  /// The sequence that all have in common.
  void common_steps() {
    take('A', 48);
    take('B', 32);
    take('C', 64);
    give_back('B');
    take('D', 32);
    give_back('D');
    take('E', 32);
  }

  [[nodiscard]] const std::vector<block>& blocks() const noexcept { return blocks_; }
  [[nodiscard]] const std::vector<block>& given_back() const noexcept { return given_back_; }

private:
  static const char* prefix(std::string_view state) {
    return state == "first" ? "1: " : state == "second" ? "2: " : "";
  }

  void show() const {
    show_();
    print_blocks(chunks_(), blocks_);
  }

  allot::resource& of_;
  std::function<void()> show_;
  std::function<std::vector<chunk>()> chunks_;
  std::vector<block> blocks_;
  std::vector<block> given_back_;
};

/// In an arena that fills a buffer from its end: what is taken and not live is lost until it is reset.
template <class Arena>
play in_buffer(Arena& arena, std::span<const std::byte> buffer) {
  const auto show = [&arena, buffer] {
    print_chunk(0, buffer.size(), "buffer");
    print_span(0, buffer.size() - arena.used(), arena.used(), "lost");
  };
  return {arena, show, [buffer] { return std::vector{chunk{buffer.data(), buffer.size()}}; }};
}

void bump() {
  std::puts("picture bump_resource");
  alignas(16) std::byte buffer[192];
  allot::bump_resource<> arena{buffer};
  play of = in_buffer(arena, buffer);

  of.common_steps();
  of.take('F', 48);
  arena.reset();
  of.end("reset");
}

void marks() {
  std::puts("picture arena_scope");
  alignas(16) std::byte buffer[192];
  allot::bump_resource<> arena{buffer};
  play of = in_buffer(arena, buffer);

  of.take('A', 48);
  {
    const allot::arena_scope turn{arena};
    of.step("{ scope");
    of.take('B', 32);
    of.take('C', 64);
    of.give_back('B');
  }
  of.end("} ends", 'A');
}

void atomic_bump() {
  std::puts("picture atomic_bump_resource");
  alignas(16) std::byte buffer[192];
  allot::atomic_bump_resource<> arena{buffer};
  play of = in_buffer(arena, buffer);
  const auto second = [](auto f) { std::thread{f}.join(); };

  of.take('A', 48, "first");
  second([&] { of.take('B', 32, "second"); });
  of.take('C', 64, "first");
  second([&] { of.give_back('B', "second"); });
  second([&] { of.take('D', 32, "second"); });
  second([&] { of.give_back('D', "second"); });
  of.take('E', 32, "first");
  arena.reset();
  of.end("reset");
}

allot::static_arena<192> log_arena;

void of_static() {
  std::puts("picture static_arena");
  const chunk whole{reinterpret_cast<const std::byte*>(&log_arena), sizeof log_arena};
  print_step("start");
  print_chunk(0, whole.bytes, ".bss");

  allot::bump_resource<>& arena = log_arena.claim("log");
  const auto show = [&] {
    print_chunk(0, whole.bytes, ".bss");
    print_span(0, offset_in(whole, &arena), sizeof arena, "books");
  };
  play of{arena, show, [&] { return std::vector{whole}; }};
  of.step("claim()");
  of.take('A', 48);
  of.take('B', 32);
  print_step("claim()");
  if (log_arena.try_claim() == nullptr) std::puts("refused");
  show();
  print_blocks({&whole, 1}, of.blocks());
}

void monotonic() {
  std::puts("picture monotonic_resource");
  constexpr std::size_t first = 160;
  listing_upstream upstream;
  allot::monotonic_resource arena{first, upstream};
  const play* lost = nullptr;
  const auto show = [&] {
    const auto& chunks = upstream.chunks();
    const std::size_t footer = chunks[0].bytes - first;
    for (std::size_t i = 0; i < chunks.size(); ++i) {
      if (chunks[i].begin == nullptr) continue;
      print_chunk(i, chunks[i].bytes, "chunk");
      print_span(i, chunks[i].bytes - footer, footer, "books");
      for (const block& b : lost->given_back()) {
        if (lies_in(chunks[i], b.begin)) print_span(i, offset_in(chunks[i], b.begin), b.bytes, "lost");
      }
    }
  };
  play of{arena, show, [&] { return upstream.chunks(); }};
  lost = &of;

  of.common_steps();
  arena.reset();
  of.end("reset");
  arena.release();
  of.end("release");
}

/// A chunk of `blocks` blocks, and behind them what the pool keeps there.
void print_pool_chunk(std::size_t index, const chunk& c, std::size_t block_bytes, std::size_t blocks) {
  print_chunk(index, c.bytes, std::to_string(block_bytes).c_str());
  for (std::size_t n = 0; n < blocks; ++n)
    print_span(index, n * block_bytes, block_bytes, "slot");
  if (c.bytes != blocks * block_bytes) print_span(index, blocks * block_bytes, c.bytes - blocks * block_bytes, "books");
}

void block_pool() {
  std::puts("picture block_pool_resource");
  alignas(16) std::byte buffer[256];
  allot::block_pool_resource<64> pool{buffer};
  const chunk whole{buffer, sizeof buffer};
  const auto show = [&] { print_pool_chunk(0, whole, pool.block_bytes, pool.capacity() / pool.block_bytes); };
  play of{pool, show, [&] { return std::vector{whole}; }};

  of.common_steps();
  of.take('F', 8);
  of.take('G', 8);
}

void pool() {
  std::puts("picture pool_resource");
  listing_upstream upstream;
  allot::pool_resource pool{std::pmr::pool_options{.max_blocks_per_chunk = 4}, upstream};
  const auto show = [&] {
    const auto& chunks = upstream.chunks();
    for (std::size_t i = 0; i < chunks.size(); ++i) {
      for (std::size_t c = 0; chunks[i].begin != nullptr && c < pool.class_count(); ++c) {
        const allot::pool_class_figures figures = pool.class_figures(c); // of one chunk, each of another size
        if (figures.reserved_bytes == chunks[i].bytes)
          print_pool_chunk(i, chunks[i], figures.block_bytes, figures.blocks_used + figures.blocks_free);
      }
    }
  };
  play of{pool, show, [&] { return upstream.chunks(); }};

  of.common_steps();
  of.give_back('A');
  pool.trim();
  of.step("trim");
}

/// A thread that does one thing after another.
class other_thread {
public:
  ~other_thread() { end(); }

  void run(std::function<void()> what) {
    what_ = std::move(what);
    wanted_.release();
    done_.acquire();
  }

  void end() {
    if (!thread_.joinable()) return;
    what_ = nullptr;
    wanted_.release();
    thread_.join();
  }

private:
  std::function<void()> what_;
  std::binary_semaphore wanted_{0};
  std::binary_semaphore done_{0};
  std::thread thread_{[this] {
    for (wanted_.acquire(); what_ != nullptr; wanted_.acquire()) {
      what_();
      done_.release();
    }
  }};
};

/// Whose the free blocks of a pool are, as the rules of its magazines say. `cached` of the pool must agree.
class free_blocks {
public:
  static constexpr std::size_t block_bytes = 64;
  static constexpr std::size_t most = 4; // in a chunk

  void come_with_chunk(std::size_t index, const char* whose) { whose_[index].fill(whose); }
  void come_back(std::size_t index, std::size_t offset, const char* whose) {
    whose_[index].at(offset / block_bytes) = whose;
  }

  void leave(const char* whose) {
    for (auto& [index, chunk] : whose_)
      std::ranges::replace(chunk, std::string_view{whose}, std::string_view{"slot"});
  }

  [[nodiscard]] const std::map<std::size_t, std::array<std::string_view, most>>& by_chunk() const noexcept {
    return whose_;
  }

private:
  std::map<std::size_t, std::array<std::string_view, most>> whose_;
};

void concurrent_pool() {
  std::puts("picture concurrent_pool_resource");
  listing_upstream upstream;
  allot::concurrent_pool_resource pool{std::pmr::pool_options{.max_blocks_per_chunk = free_blocks::most}, upstream};
  other_thread second;
  free_blocks spare;
  const play* now = nullptr;

  const auto show = [&] {
    std::size_t cached = 0;
    const auto& chunks = upstream.chunks();
    for (const auto& [index, whose] : spare.by_chunk()) {
      print_pool_chunk(index, chunks[index], free_blocks::block_bytes, free_blocks::most);
      for (std::size_t n = 0; n < whose.size(); ++n) {
        const std::byte* const slot = chunks[index].begin + n * free_blocks::block_bytes;
        if (std::ranges::find(now->blocks(), slot, &block::begin) != now->blocks().end()) continue;
        if (whose[n] == "slot") continue;
        print_span(index, n * free_blocks::block_bytes, free_blocks::block_bytes,
                   whose[n] == "first" ? "cached_first" : "cached_second");
        cached += free_blocks::block_bytes;
      }
    }
    if (cached != pool.cached()) std::exit(1);
  };
  play of{pool, show, [&] { return upstream.chunks(); }};
  now = &of;

  const auto take = [&](char label, const char* who) {
    const std::size_t before = upstream.chunks().size();
    if (before == 0 || label == 'C') spare.come_with_chunk(before + 1, who); // after the thread's magazines
    of.take(label, free_blocks::block_bytes, who);
  };
  const auto give_back = [&](char label, const char* who) {
    const std::byte* const p = std::ranges::find(of.blocks(), label, &block::label)->begin;
    for (const auto& [index, whose] : spare.by_chunk()) {
      const chunk& c = upstream.chunks()[index];
      if (lies_in(c, p)) spare.come_back(index, offset_in(c, p), who);
    }
    of.give_back(label, who);
  };

  take('A', "first");
  take('B', "first");
  second.run([&] { take('C', "second"); });
  give_back('A', "first");
  second.run([&] { take('D', "second"); });
  take('E', "first");
  second.run([&] { give_back('B', "second"); });
  second.run([&] { take('F', "second"); });
  second.run([&] { give_back('C', "second"); });
  second.end();
  spare.leave("second");
  of.step("2 ends");
}

void budget() {
  std::puts("picture limit_adaptor");
  alignas(16) std::byte buffer[256];
  allot::bump_resource<> arena{buffer};
  allot::limit_adaptor capped{arena, 128};
  const play* now = nullptr;
  const auto show = [&] {
    print_chunk(0, capped.limit(), "budget");
    std::size_t sum = 0;
    for (const block& b : now->blocks()) {
      print_span(0, sum, b.bytes, b.state, b.label); // a charge has no place: one beside the other
      sum += b.bytes;
    }
    if (sum != capped.used()) std::exit(1);
  };
  play of{capped, show, [] { return std::vector<chunk>{}; }};
  now = &of;

  of.take('A', 48);
  of.take('B', 32);
  of.take('C', 64);
  of.give_back('B');
  of.take('D', 64);
}

} // namespace

int main() {
  bump();
  marks();
  atomic_bump();
  of_static();
  monotonic();
  block_pool();
  pool();
  concurrent_pool();
  budget();
}
