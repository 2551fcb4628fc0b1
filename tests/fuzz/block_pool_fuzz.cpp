// block_pool_resource in a buffer and over an upstream: the order of its blocks is foretold.

#include <allot/pool/block_pool_resource.hpp>

#include "ask.hpp"
#include "shadow.hpp"
#include "target.hpp"
#include "upstream.hpp"

#include <algorithm>
#include <cstddef>
#include <span>
#include <type_traits>
#include <vector>

namespace {

using fuzz::input;

/// What both forms promise of one request.
template <class Pool, std::size_t BlockSize, std::size_t Align>
class pool_run {
public:
  pool_run(input& in, Pool& pool) : in_{in}, pool_{pool} {}

protected:
  static constexpr bool is_served(const allot::layout& wanted) {
    return wanted.bytes <= BlockSize && wanted.alignment <= Align;
  }

  /// A request: mostly one that is served.
  allot::layout request() {
    if (in_.below(8) == 0) return in_.request();
    const std::size_t bytes = in_.byte() % (BlockSize + 1);
    return {bytes, std::min(in_.alignment(), Align)};
  }

  void* ask_for(const allot::layout& wanted) {
    void* const p = fuzz::ask(pool_, wanted, in_.byte());
    if (p == nullptr) return p;
    FUZZ_REQUIRE(is_served(wanted));
    FUZZ_REQUIRE(allot::is_aligned(p, Align) && pool_.owns(p) == allot::ownership::yes);
    blocks_.add(p, wanted);
    high_water_ = std::max(high_water_, blocks_.size());
    return p;
  }

  void* free_one(std::size_t index) {
    const auto gone = blocks_.remove(index);
    fuzz::give_back(pool_, gone.p, gone.shape, in_.byte());
    return gone.p;
  }

  void check_figures() {
    FUZZ_REQUIRE(pool_.used() == blocks_.size() * Pool::block_bytes);
    FUZZ_REQUIRE(pool_.high_water() == high_water_ * Pool::block_bytes);
    FUZZ_REQUIRE(pool_.remaining(2 * Align) == 0);
    FUZZ_REQUIRE(pool_.owns(this) == allot::ownership::no);
  }

  input& in_;
  Pool& pool_;
  fuzz::shadow blocks_;
  std::vector<void*> free_; // that came back, the next one out last
  std::size_t high_water_ = 0;
};

template <std::size_t BlockSize, std::size_t Align>
class buffer_run : pool_run<allot::block_pool_resource<BlockSize, Align>, BlockSize, Align> {
  using pool_type = allot::block_pool_resource<BlockSize, Align>;
  using base = pool_run<pool_type, BlockSize, Align>;

public:
  buffer_run(input& in, pool_type& pool, std::span<std::byte> memory) : base{in, pool} {
    const std::size_t alignment = std::max(Align, alignof(void*));
    const std::size_t padding = std::min(allot::padding_to(memory.data(), alignment), memory.size());
    begin_ = memory.data() + padding;
    count_ = (memory.size() - padding) / pool_type::block_bytes;
  }

  void go() {
    FUZZ_REQUIRE(this->pool_.capacity() == count_ * pool_type::block_bytes);
    while (!this->in_.is_empty()) {
      step();
      this->check_figures();
      const bool has_room = this->blocks_.size() < count_;
      FUZZ_REQUIRE(this->pool_.remaining(Align) == (has_room ? BlockSize : 0));
    }
    this->blocks_.look();
  }

private:
  void step() {
    const std::size_t operation = this->in_.below(16);
    if (operation == 15 && this->in_.below(8) == 0) return reset();
    if (operation < 10) return allocate();
    if (!this->blocks_.is_empty()) this->free_.push_back(this->free_one(this->in_.byte() % this->blocks_.size()));
  }

  void allocate() {
    const allot::layout wanted = this->request();
    void* expected = nullptr;
    if (base::is_served(wanted)) expected = next();
    FUZZ_REQUIRE(this->ask_for(wanted) == expected);
    if (expected == nullptr) return;
    if (this->free_.empty()) {
      ++fresh_;
    } else {
      this->free_.pop_back();
    }
  }

  [[nodiscard]] void* next() const {
    if (!this->free_.empty()) return this->free_.back();
    return fresh_ < count_ ? begin_ + fresh_ * pool_type::block_bytes : nullptr;
  }

  void reset() {
    this->blocks_.clear();
    this->free_.clear();
    fresh_ = 0;
    this->pool_.reset();
  }

  std::byte* begin_;
  std::size_t count_;
  std::size_t fresh_ = 0; // blocks that were given out at some time since the last reset
};

template <std::size_t BlockSize, std::size_t Align, class Upstream>
class chunk_run : pool_run<allot::block_pool_resource<BlockSize, Align, Upstream>, BlockSize, Align> {
  using pool_type = allot::block_pool_resource<BlockSize, Align, Upstream>;
  using base = pool_run<pool_type, BlockSize, Align>;

public:
  chunk_run(input& in, pool_type& pool, fuzz::upstream& up) : base{in, pool}, up_{up} {}

  void go() {
    while (!this->in_.is_empty()) {
      step();
      this->check_figures();
      FUZZ_REQUIRE(this->pool_.reserved() == up_.bytes());
    }
    this->blocks_.look();
  }

private:
  void step() {
    switch (this->in_.below(16)) {
    case 9:
    case 10:
    case 11: return free_any();
    case 12: return free_run();
    case 13: return trim();
    case 14: return up_.plan(this->in_);
    case 15: return this->in_.below(8) == 0 ? release() : many();
    default: return allocate(this->request());
    }
  }

  void allocate(const allot::layout& wanted) {
    const bool has_room = this->pool_.remaining(Align) != 0;
    const std::size_t requests = up_.requests();
    const std::size_t refusals = up_.refusals();
    void* const p = this->ask_for(wanted);
    if (!base::is_served(wanted)) {
      FUZZ_REQUIRE(p == nullptr && up_.requests() == requests);
    } else {
      FUZZ_REQUIRE(has_room ? p != nullptr && up_.requests() == requests : up_.requests() > requests);
      FUZZ_REQUIRE(p != nullptr || up_.excuses(wanted, refusals));
    }
    if (p == nullptr || this->free_.empty()) return;
    FUZZ_REQUIRE(p == this->free_.back());
    this->free_.pop_back();
  }

  void many() {
    for (std::size_t left = this->in_.byte(); left > 0; --left)
      allocate({BlockSize, Align});
  }

  void free_any() {
    if (!this->blocks_.is_empty()) this->free_.push_back(this->free_one(this->in_.byte() % this->blocks_.size()));
  }

  /// Blocks that came one after another: all of a chunk among them.
  void free_run() {
    if (this->blocks_.is_empty()) return;
    const std::size_t first = this->in_.byte() % this->blocks_.size();
    for (std::size_t left = this->in_.byte(); left > 0 && first < this->blocks_.size(); --left)
      this->free_.push_back(this->free_one(first));
  }

  void trim() {
    const std::size_t before = up_.bytes();
    const std::size_t given = this->pool_.trim();
    FUZZ_REQUIRE(before - up_.bytes() == given);
    FUZZ_REQUIRE(!this->blocks_.is_empty() || up_.bytes() == 0);
    this->free_.clear(); // which of them are left is not foretold
  }

  void release() {
    this->blocks_.clear();
    this->free_.clear();
    this->pool_.release();
    FUZZ_REQUIRE(up_.blocks() == 0);
  }

  fuzz::upstream& up_;
};

template <std::size_t BlockSize, std::size_t Align>
void run_in_buffer(input& in) {
  const std::size_t offset = in.below(64);
  std::vector<std::byte> memory(offset + static_cast<std::size_t>(in.word(2)) % 6000);
  const std::span<std::byte> span = std::span{memory}.subspan(offset);
  {
    allot::block_pool_resource<BlockSize, Align> pool{span, "fuzz"};
    buffer_run<BlockSize, Align>{in, pool, span}.go();
  }
  std::fill(memory.begin(), memory.end(), std::byte{1}); // all of it is the owner's again
}

template <std::size_t BlockSize, std::size_t Align, class Upstream>
void run_in_chunks(input& in) {
  fuzz::upstream up;
  if constexpr (std::is_same_v<Upstream, fuzz::upstream>) up.let_misalign();
  up.plan(in);
  allot::block_pool_resource<BlockSize, Align, Upstream> pool{up, "fuzz"};
  chunk_run<BlockSize, Align, Upstream>{in, pool, up}.go();
}

void run(input& in) {
  switch (in.below(8)) {
  case 0: return run_in_buffer<1, 1>(in);
  case 1: return run_in_buffer<40, 8>(in);
  case 2: return run_in_buffer<100, 64>(in);
  case 3: return run_in_buffer<24, 4>(in);
  case 4: return run_in_chunks<16, 16, fuzz::upstream>(in);
  case 5: return run_in_chunks<200, 128, fuzz::upstream>(in);
  case 6: return run_in_chunks<3000, 8, fuzz::upstream>(in);
  default: return run_in_chunks<48, 8, allot::resource>(in);
  }
}

} // namespace

FUZZ_TARGET(run)
