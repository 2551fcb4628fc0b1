#include <allot/testing/checking_resource.hpp>

#include <allot/core/layout.hpp>
#include <allot/core/upstream.hpp>
#include <allot/detail/line_pattern.hpp>
#include <allot/detail/poison.hpp>
#include <allot/testing/checking_resource_block.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <limits>
#include <mutex>
#include <new>
#include <optional>
#include <type_traits>
#include <utility>

namespace allot::inline ALLOT_ABI {

using detail::byte_range;
using detail::fill;
using detail::for_each_filled;

namespace {

/// More (256 GiB where there are 64 bits) is refused unasked: the sanitizers' `malloc` ends the program where others
/// give null.
constexpr std::size_t most_bytes = static_cast<std::size_t>(
    std::min<std::uintmax_t>(std::uintmax_t{1} << 38, std::numeric_limits<std::ptrdiff_t>::max()));

std::uintptr_t address(const void* p) noexcept { return reinterpret_cast<std::uintptr_t>(p); }

/// Bytes between the first one that the upstream gives and a block with exactly its alignment.
std::size_t padding_to_exactly(std::uintptr_t lowest, std::size_t alignment) noexcept {
  return (alignment - lowest) & (2 * alignment - 1);
}

template <class... Values>
[[gnu::noinline]] void say(std::type_identity_t<detail::line_pattern<sizeof...(Values)>> pattern,
                           const Values&... values) noexcept {
  char text[128];
  detail::write_line(text, pattern, values...);
  std::fputs(text, stderr);
}

} // namespace

void checking_resource::block_list::append(block* b) noexcept {
  b->previous = last;
  b->next = nullptr;
  (last == nullptr ? first : last->next) = b;
  last = b;
}

void checking_resource::block_list::remove(block* b) noexcept {
  (b->previous == nullptr ? first : b->previous->next) = b->next;
  (b->next == nullptr ? last : b->next->previous) = b->previous;
}

checking_resource::checking_resource(const checking_options& options) noexcept
    : upstream_{nullptr}, tries_{nullptr}, options_{options} {}

checking_resource::checking_resource(resource& upstream, const checking_options& options) noexcept
    : upstream_{&upstream}, tries_{&upstream}, options_{options} {}

checking_resource::checking_resource(checking_resource& upstream, const checking_options& options) noexcept
    : checking_resource{static_cast<resource&>(upstream), options} {}

#if ALLOT_EXCEPTIONS
checking_resource::checking_resource(std::pmr::memory_resource& upstream, const checking_options& options) noexcept
    : upstream_{&upstream}, tries_{nullptr}, options_{options} {}
#endif

checking_resource::~checking_resource() {
  const std::lock_guard lock{mutex_};
  trim_quarantine(0);
  for (block* b = live_.first; b != nullptr; b = b->next)
    check_guards(*b);
  if (live_.first != nullptr && options_.handler == nullptr && options_.action == on_fault::abort) {
    report_leaks(stderr); // all of them: the program ends at the first report
  }
  while (block* const b = live_.first) {
    report(about(memory_fault::leak, *b));
    live_.remove(b);
    take_upstream_back(b);
  }
}

checking_counts checking_resource::counts() const noexcept {
  const std::lock_guard lock{mutex_};
  return counts_;
}

layout checking_resource::last_allocated() const noexcept {
  const std::lock_guard lock{mutex_};
  return last_allocated_;
}

layout checking_resource::last_deallocated() const noexcept {
  const std::lock_guard lock{mutex_};
  return last_deallocated_;
}

std::size_t checking_resource::errors() const noexcept {
  const std::lock_guard lock{mutex_};
  std::size_t sum = 0;
  for (const std::size_t n : errors_)
    sum += n;
  return sum;
}

std::size_t checking_resource::errors(memory_fault fault) const noexcept {
  const std::lock_guard lock{mutex_};
  return errors_[static_cast<std::size_t>(fault)];
}

std::optional<memory_report> checking_resource::first_error() const noexcept {
  const std::lock_guard lock{mutex_};
  return first_;
}

std::optional<memory_report> checking_resource::last_error() const noexcept {
  const std::lock_guard lock{mutex_};
  return last_;
}

long checking_resource::status() const noexcept {
  const std::lock_guard lock{mutex_};
  if (const std::size_t n = errors(); n != 0) return static_cast<long>(n);
  return counts_.live_blocks == 0 ? 0 : -1;
}

void checking_resource::clear_errors() noexcept {
  const std::lock_guard lock{mutex_};
  errors_.fill(0);
  first_.reset();
  last_.reset();
}

void checking_resource::empty_quarantine() noexcept {
  const std::lock_guard lock{mutex_};
  trim_quarantine(0);
}

void checking_resource::set_allocation_limit(std::size_t n) noexcept {
  const std::lock_guard lock{mutex_};
  limit_ = n;
}

std::size_t checking_resource::allocation_limit() const noexcept {
  const std::lock_guard lock{mutex_};
  return limit_;
}

void checking_resource::set_verbose(bool verbose) noexcept {
  const std::lock_guard lock{mutex_};
  options_.verbose = verbose;
}

void* checking_resource::place(std::size_t bytes, std::size_t alignment) noexcept { return give_out(bytes, alignment); }

void* checking_resource::place_or_fail(std::size_t bytes, std::size_t alignment) {
  void* const p = give_out(bytes, alignment);
  if (p == nullptr) fail(bytes, alignment);
  return p;
}

/// Null where it cannot; what a foreign upstream throws, unless it is a std::bad_alloc, goes through.
void* checking_resource::give_out(std::size_t bytes, std::size_t alignment) {
  const std::lock_guard lock{mutex_};
  ++counts_.attempts;
  ++counts_.failures; // it is one until it has its block
  if (options_.verbose) say("allocate {} bytes aligned to {}\n", bytes, alignment);

  const std::size_t for_stacks = options_.stacks != nullptr ? sizeof(block_stacks) : 0;
  static_assert(alignof(block_stacks) == alignof(block));
  constexpr std::size_t front = sizeof(block) + guard_bytes;
  const auto slack = checked_multiply(alignment, 2);
  const auto around = slack ? checked_add(*slack, for_stacks + front + guard_bytes) : std::nullopt;
  const auto wanted = around ? checked_add(*around, bytes) : std::nullopt;
  void* const raw = wanted && *wanted <= most_bytes && limit_ != 0 ? take_upstream(*wanted) : nullptr;
  if (raw == nullptr) return nullptr;
  if (limit_ != unlimited) --limit_;

  auto* const lowest = static_cast<std::byte*>(raw) + for_stacks + front;
  auto* const begin = lowest + padding_to_exactly(address(lowest), alignment);
  auto* const header = begin - front - (address(begin) % alignof(block));
  auto* const b = ::new (header) block{record{.begin = begin,
                                              .bytes = bytes,
                                              .alignment = alignment,
                                              .serial = counts_.allocations + 1,
                                              .raw = raw,
                                              .raw_bytes = *wanted}};
  if (for_stacks != 0) ::new (raw) block_stacks{.asked = call_stack::of_caller(*options_.stacks)};
  fill({b->front_guard(), b->begin()}, guard_byte);
  for_each_filled(b->bytes(), [](byte_range part) {
    fill(part, fresh_byte);
    detail::unpoison(part.data(), part.size()); // to Memcheck the block is uninitialised all the same
  });
  fill({b->end(), guard_bytes}, guard_byte);

  tree_.insert(b);
  live_.append(b);
  count_allocation(bytes);
  last_allocated_ = {bytes, alignment};
  return begin;
}

void checking_resource::count_allocation(std::size_t bytes) noexcept {
  --counts_.failures;
  ++counts_.allocations;
  ++counts_.live_blocks;
  counts_.live_bytes += bytes;
  counts_.total_bytes += bytes;
  counts_.peak_blocks = std::max(counts_.peak_blocks, counts_.live_blocks);
  counts_.peak_bytes = std::max(counts_.peak_bytes, counts_.live_bytes);
  counts_.largest_bytes = std::max(counts_.largest_bytes, bytes);
}

void* checking_resource::take_upstream(std::size_t bytes) {
  if (upstream_ == nullptr) {
    void* const raw = std::malloc(bytes);
    if (raw != nullptr || freed_.first == nullptr) return raw;
    trim_quarantine(0); // what the quarantine holds back must not be missing elsewhere
    return std::malloc(bytes);
  }
  if (tries_ != nullptr) return tries_->try_allocate(bytes, alignof(block)); // once: an upstream is not asked twice
#if ALLOT_EXCEPTIONS
  try {
    return upstream_->allocate(bytes, alignof(block));
  } catch (const std::bad_alloc&) {
    return nullptr;
  }
#else
  return nullptr;
#endif
}

void checking_resource::take_upstream_back(block* b) noexcept {
  tree_.erase(b);
  const auto [raw, bytes] = std::pair{b->own.raw, b->own.raw_bytes};
  if (upstream_ == nullptr) {
    std::free(raw);
  } else {
    upstream_->deallocate(raw, bytes, alignof(block));
  }
}

void checking_resource::give_back(void* p, std::size_t bytes, std::size_t alignment) noexcept {
  const std::lock_guard lock{mutex_};
  if (options_.verbose) say("deallocate {}: {} bytes aligned to {}\n", p, bytes, alignment);
  last_deallocated_ = {bytes, alignment};

  block* const b = tree_.at_or_before(p);
  if (b != nullptr) check_header(*b);
  if (b == nullptr || b->begin() != p || b->own.live == 0) return report_unknown(b, p, bytes, alignment);

  check_deallocation(*b, p, bytes, alignment);
  check_guards(*b);
  ++counts_.deallocations;
  --counts_.live_blocks;
  counts_.live_bytes -= b->own.bytes;
  live_.remove(b);
  if (b->own.raw_bytes > options_.quarantine_bytes) return take_upstream_back(b); // would push all others out
  put_in_quarantine(*b);
}

void checking_resource::put_in_quarantine(block& b) noexcept {
  b.own.live = 0;
  b.reseal();
  if (block_stacks* const stacks = stacks_of(b)) stacks->freed = call_stack::of_caller(*options_.stacks);
  for_each_filled(b.bytes(), [](byte_range part) { fill(part, freed_byte); });
  freed_.append(&b);
  freed_bytes_ += b.own.raw_bytes;
  trim_quarantine(options_.quarantine_bytes);
}

ownership checking_resource::holds(const void* p) const noexcept {
  const std::lock_guard lock{mutex_};
  const block* const b = tree_.at_or_before(p);
  if (b == nullptr) return ownership::no;
  const record& r = b->known();
  return within(p, r.begin, std::max<std::size_t>(r.bytes, 1));
}

void checking_resource::trim_quarantine(std::size_t to) noexcept {
  while (freed_.first != nullptr && freed_bytes_ > to) {
    block* const b = freed_.first;
    check_freed(*b);
    freed_.remove(b);
    freed_bytes_ -= b->own.raw_bytes;
    take_upstream_back(b);
  }
}

} // namespace allot::inline ALLOT_ABI
