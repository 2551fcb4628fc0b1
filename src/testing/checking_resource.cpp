#include <allot/testing/checking_resource.hpp>

#include <allot/core/upstream.hpp>
#include <allot/detail/poison.hpp>

#include <algorithm>
#include <cstdarg>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <new>
#include <utility>

namespace allot::inline ALLOT_ABI {

/// The header of a block. It lies in front of the block's first guard and is all the bookkeeping there is.
struct checking_resource::block {
  block* left = nullptr; // tree by address, in heap order of `priority` (a treap)
  block* right = nullptr;
  block* previous = nullptr; // list by age
  block* next = nullptr;
  std::byte* begin; // the block itself
  std::size_t bytes;
  std::size_t alignment;
  std::size_t serial;
  void* raw; // what the upstream gave
  std::size_t raw_bytes;
  bool live = true;

  [[nodiscard]] std::byte* end() const noexcept { return begin + bytes; }
  [[nodiscard]] std::byte* front_guard() noexcept { return reinterpret_cast<std::byte*>(this + 1); }
  [[nodiscard]] std::uint64_t priority() const noexcept { return serial * 0x9E3779B97F4A7C15u; }
};

namespace {

using byte_range = std::span<std::byte>;

/// More (256 GiB where there are 64 bits) is refused unasked: the sanitizers' `malloc` ends the program where others
/// give null.
constexpr std::size_t most_bytes = static_cast<std::size_t>(
    std::min<std::uintmax_t>(std::uintmax_t{1} << 38, std::numeric_limits<std::ptrdiff_t>::max()));

std::uintptr_t address(const void* p) noexcept { return reinterpret_cast<std::uintptr_t>(p); }

template <class Block>
void split(Block* tree, const Block* at, Block*& below, Block*& above) noexcept {
  if (tree == nullptr) {
    below = above = nullptr;
  } else if (address(tree) < address(at)) {
    below = tree;
    split(tree->right, at, below->right, above);
  } else {
    above = tree;
    split(tree->left, at, below, above->left);
  }
}

template <class Block>
Block* join(Block* below, Block* above) noexcept {
  if (below == nullptr) return above;
  if (above == nullptr) return below;
  if (below->priority() > above->priority()) {
    below->right = join(below->right, above);
    return below;
  }
  above->left = join(below, above->left);
  return above;
}

template <class Block>
void insert(Block*& tree, Block* b) noexcept {
  Block** link = &tree;
  while (*link != nullptr && (*link)->priority() > b->priority()) {
    link = address(b) < address(*link) ? &(*link)->left : &(*link)->right;
  }
  split(*link, b, b->left, b->right);
  *link = b;
}

template <class Block>
void erase(Block*& tree, Block* b) noexcept {
  Block** link = &tree;
  while (*link != b)
    link = address(b) < address(*link) ? &(*link)->left : &(*link)->right;
  *link = join(b->left, b->right);
}

void fill(byte_range range, unsigned char value) noexcept { std::memset(range.data(), value, range.size()); }

/// The first byte of `range` that is not `value`, or null.
std::byte* first_other(byte_range range, unsigned char value) noexcept {
  const std::size_t n = range.size();
  if (n == 0) return nullptr;
  // Equal to itself moved by one: all bytes are the same. Much faster than the search, which is seldom needed.
  if (range[0] == std::byte{value} && std::memcmp(range.data(), range.data() + 1, n - 1) == 0) return nullptr;
  return &*std::find_if(range.begin(), range.end(), [value](std::byte b) { return b != std::byte{value}; });
}

/// The parts of a block that are filled: all of it, or its two ends.
template <class F>
void for_each_filled(byte_range block, F f) noexcept {
  constexpr std::size_t most = checking_resource::fill_bytes;
  if (block.size() <= 2 * most) return f(block);
  f(block.first(most));
  f(block.last(most));
}

/// Bytes between the first one that the upstream gives and a block with exactly its alignment.
std::size_t padding_to_exactly(std::uintptr_t lowest, std::size_t alignment) noexcept {
  return (alignment - lowest) & (2 * alignment - 1);
}

[[maybe_unused]] bool is_poisoned([[maybe_unused]] byte_range range) noexcept {
#if ALLOT_ASAN
  return !range.empty() && __asan_region_is_poisoned(range.data(), range.size()) != nullptr;
#elif ALLOT_VALGRIND
  // The macro complains on its own; what it returns is the first address that is not addressable.
  VALGRIND_DISABLE_ERROR_REPORTING;
  const bool poisoned = VALGRIND_CHECK_MEM_IS_ADDRESSABLE(range.data(), range.size()) != 0;
  VALGRIND_ENABLE_ERROR_REPORTING;
  return poisoned;
#else
  return false;
#endif
}

/// Appends formatted lines to a buffer and counts what did not fit.
class text_writer {
public:
  explicit text_writer(std::span<char> text) noexcept : text_{text} {
    if (!text_.empty()) text_[0] = '\0';
  }

  [[gnu::format(printf, 2, 3)]] void add(const char* format, ...) noexcept {
    const auto room = length_ < text_.size() ? text_.subspan(length_) : std::span<char>{};
    std::va_list values;
    va_start(values, format);
    const int n = std::vsnprintf(room.data(), room.size(), format, values);
    va_end(values);
    if (n > 0) length_ += static_cast<std::size_t>(n);
  }

  [[nodiscard]] std::size_t length() const noexcept { return length_; }

private:
  std::span<char> text_;
  std::size_t length_ = 0;
};

void add_block(text_writer& line, const memory_report& what) noexcept {
  line.add("block #%zu (%zu bytes aligned to %zu at %p)", what.serial, what.bytes, what.alignment, what.block);
}

void add_given(text_writer& line, const memory_report& what) noexcept {
  line.add(" came back as %zu bytes aligned to %zu", what.given_bytes, what.given_alignment);
}

/// "byte 4 of block #1 (...) holds 0x41".
void add_overwritten(text_writer& line, const memory_report& what) noexcept {
  line.add("byte %td of ", what.offset);
  add_block(line, what);
  line.add(" was overwritten with 0x%02X", static_cast<unsigned>(what.found));
}

void add_foreign(text_writer& line, const memory_report& what) noexcept {
  line.add("%p", what.pointer);
  add_given(line, what);
  if (what.serial == 0) {
    line.add(", but is no block of this resource");
  } else {
    line.add(", but lies %td bytes into ", what.offset);
    add_block(line, what);
  }
}

void add_event(text_writer& line, const memory_report& what) noexcept {
  switch (what.fault) {
  case memory_fault::leak:
    add_block(line, what);
    line.add(" was never given back");
    return;
  case memory_fault::double_free:
    add_block(line, what);
    line.add(" came back a second time");
    return;
  case memory_fault::foreign_pointer: add_foreign(line, what); return;
  case memory_fault::wrong_size:
  case memory_fault::wrong_alignment:
    add_block(line, what);
    add_given(line, what);
    return;
  case memory_fault::underrun:
  case memory_fault::overrun:
  case memory_fault::write_after_free: add_overwritten(line, what); return;
  case memory_fault::poisoned:
    add_block(line, what);
    line.add(" came back poisoned");
    return;
  }
}

/// The failure that stands for a fault when the program ends by it.
failure as_failure(const memory_report& what) noexcept {
  const bool at_deallocation = what.pointer != nullptr;
  return {.reason = at_deallocation ? failure_reason::wrong_deallocation : failure_reason::precondition,
          .resource = checking_resource::class_name,
          .name = what.name,
          .detail = to_string(what.fault),
          .pointer = at_deallocation ? what.pointer : what.block,
          .bytes = at_deallocation ? what.given_bytes : what.bytes,
          .alignment = at_deallocation ? what.given_alignment : what.alignment};
}

void print(const memory_report& what, std::FILE* out) noexcept {
  char text[512];
  describe(what, text);
  std::fprintf(out, "%s\n", text);
}

} // namespace

const char* to_string(memory_fault fault) noexcept {
  switch (fault) {
  case memory_fault::leak: return "leak";
  case memory_fault::double_free: return "double_free";
  case memory_fault::foreign_pointer: return "foreign_pointer";
  case memory_fault::wrong_size: return "wrong_size";
  case memory_fault::wrong_alignment: return "wrong_alignment";
  case memory_fault::underrun: return "underrun";
  case memory_fault::overrun: return "overrun";
  case memory_fault::write_after_free: return "write_after_free";
  case memory_fault::poisoned: return "poisoned";
  }
  return "unknown";
}

std::size_t describe(const memory_report& what, std::span<char> text) noexcept {
  text_writer line{text};
  line.add("allot: checking_resource");
  if (what.name != nullptr) line.add(" \"%s\"", what.name);
  line.add(": %s: ", to_string(what.fault));
  add_event(line, what);
  return line.length();
}

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

std::size_t checking_resource::check() noexcept {
  const std::lock_guard lock{mutex_};
  const std::size_t before = errors();
  for (block* b = live_.first; b != nullptr; b = b->next)
    check_guards(*b);
  for (block* b = freed_.first; b != nullptr; b = b->next)
    check_freed(*b);
  return errors() - before;
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

std::size_t checking_resource::report_leaks(std::span<char> text) const noexcept {
  const std::lock_guard lock{mutex_};
  std::size_t length = 0;
  if (!text.empty()) text[0] = '\0';
  for (const block* b = live_.first; b != nullptr; b = b->next) {
    char line[512];
    describe(about(memory_fault::leak, *b), line);
    text_writer rest{length < text.size() ? text.subspan(length) : std::span<char>{}};
    rest.add("%s\n", line);
    length += rest.length();
  }
  return length;
}

std::size_t checking_resource::report_leaks(std::FILE* out) const noexcept {
  const std::lock_guard lock{mutex_};
  for (const block* b = live_.first; b != nullptr; b = b->next)
    print(about(memory_fault::leak, *b), out);
  return counts_.live_blocks;
}

void* checking_resource::place(std::size_t bytes, std::size_t alignment) noexcept {
  const std::lock_guard lock{mutex_};
  ++counts_.attempts;
  if (options_.verbose) std::fprintf(stderr, "allocate %zu bytes aligned to %zu\n", bytes, alignment);

  constexpr std::size_t front = sizeof(block) + guard_bytes;
  const auto slack = checked_multiply(alignment, 2);
  const auto around = slack ? checked_add(*slack, front + guard_bytes) : std::nullopt;
  const auto wanted = around ? checked_add(*around, bytes) : std::nullopt;
  void* const raw = wanted && *wanted <= most_bytes && limit_ != 0 ? take_upstream(*wanted) : nullptr;
  if (raw == nullptr) {
    ++counts_.failures;
    return nullptr;
  }
  if (limit_ != unlimited) --limit_;

  auto* const lowest = static_cast<std::byte*>(raw) + front;
  auto* const begin = lowest + padding_to_exactly(address(lowest), alignment);
  auto* const header = begin - front - (address(begin) % alignof(block));
  auto* const b = ::new (header) block{.begin = begin,
                                       .bytes = bytes,
                                       .alignment = alignment,
                                       .serial = counts_.allocations + 1,
                                       .raw = raw,
                                       .raw_bytes = *wanted};
  fill({b->front_guard(), b->begin}, guard_byte);
  for_each_filled({b->begin, b->bytes}, [](byte_range part) {
    fill(part, fresh_byte);
    detail::unpoison(part.data(), part.size()); // to Memcheck the block is uninitialised all the same
  });
  fill({b->end(), guard_bytes}, guard_byte);

  insert(tree_, b);
  live_.append(b);
  count_allocation(bytes);
  last_allocated_ = {bytes, alignment};
  return begin;
}

void checking_resource::count_allocation(std::size_t bytes) noexcept {
  ++counts_.allocations;
  ++counts_.live_blocks;
  counts_.live_bytes += bytes;
  counts_.total_bytes += bytes;
  counts_.peak_blocks = std::max(counts_.peak_blocks, counts_.live_blocks);
  counts_.peak_bytes = std::max(counts_.peak_bytes, counts_.live_bytes);
  counts_.largest_bytes = std::max(counts_.largest_bytes, bytes);
}

void* checking_resource::take_upstream(std::size_t bytes) noexcept {
  const auto ask = [&]() noexcept -> void* {
    if (upstream_ == nullptr) return std::malloc(bytes);
    if (tries_ != nullptr) return tries_->try_allocate(bytes, alignof(block));
#if ALLOT_EXCEPTIONS
    return try_allocate_from(*upstream_, bytes, alignof(block));
#else
    return nullptr;
#endif
  };
  void* const raw = ask();
  if (raw != nullptr || freed_.first == nullptr) return raw;
  trim_quarantine(0); // what the quarantine holds back must not be missing elsewhere
  return ask();
}

void checking_resource::take_upstream_back(block* b) noexcept {
  erase(tree_, b);
  const auto [raw, bytes] = std::pair{b->raw, b->raw_bytes};
  if (upstream_ == nullptr) {
    std::free(raw);
  } else {
    upstream_->deallocate(raw, bytes, alignof(block));
  }
}

void checking_resource::give_back(void* p, std::size_t bytes, std::size_t alignment) noexcept {
  const std::lock_guard lock{mutex_};
  if (options_.verbose) std::fprintf(stderr, "deallocate %p: %zu bytes aligned to %zu\n", p, bytes, alignment);
  last_deallocated_ = {bytes, alignment};

  block* const b = at_or_before(p);
  if (b == nullptr || b->begin != p || !b->live) return report_unknown(b, p, bytes, alignment);

  check_deallocation(*b, p, bytes, alignment);
  check_guards(*b);
  ++counts_.deallocations;
  --counts_.live_blocks;
  counts_.live_bytes -= b->bytes;
  live_.remove(b);
  b->live = false;
  for_each_filled({b->begin, b->bytes}, [](byte_range part) { fill(part, freed_byte); });
  freed_.append(b);
  freed_bytes_ += b->raw_bytes;
  trim_quarantine(options_.quarantine_bytes);
}

ownership checking_resource::holds(const void* p) const noexcept {
  const std::lock_guard lock{mutex_};
  const block* const b = at_or_before(p);
  return b == nullptr ? ownership::no : within(p, b->begin, std::max<std::size_t>(b->bytes, 1));
}

/// The block with the highest header not above `p`: if `p` is in any block, it is in this one.
checking_resource::block* checking_resource::at_or_before(const void* p) const noexcept {
  block* best = nullptr;
  for (block* b = tree_; b != nullptr;) {
    if (address(b) <= address(p)) {
      best = b;
      b = b->right;
    } else {
      b = b->left;
    }
  }
  return best;
}

void checking_resource::trim_quarantine(std::size_t to) noexcept {
  while (freed_.first != nullptr && freed_bytes_ > to) {
    block* const b = freed_.first;
    check_freed(*b);
    freed_.remove(b);
    freed_bytes_ -= b->raw_bytes;
    take_upstream_back(b);
  }
}

void checking_resource::check_deallocation(const block& b, const void* p, std::size_t bytes,
                                           std::size_t alignment) noexcept {
  const auto found = [&](memory_fault fault) {
    memory_report what = about(fault, b);
    what.pointer = p;
    what.given_bytes = bytes;
    what.given_alignment = alignment;
    report(what);
  };
  if (bytes != b.bytes) found(memory_fault::wrong_size);
  if (alignment != b.alignment) found(memory_fault::wrong_alignment);
  if (is_poisoned({b.begin, b.bytes})) {
    found(memory_fault::poisoned);
    detail::unpoison(b.begin, b.bytes);
  }
}

void checking_resource::check_guards(block& b) noexcept {
  const auto look = [&](byte_range guard, memory_fault fault) {
    const std::byte* const other = first_other(guard, guard_byte);
    if (other == nullptr) return;
    memory_report what = about(fault, b);
    what.offset = other - b.begin;
    what.found = std::to_integer<unsigned char>(*other);
    fill(guard, guard_byte);
    report(what);
  };
  look({b.front_guard(), b.begin}, memory_fault::underrun);
  look({b.end(), guard_bytes}, memory_fault::overrun);
}

void checking_resource::check_freed(block& b) noexcept {
  check_guards(b);
  const std::byte* other = nullptr;
  for_each_filled({b.begin, b.bytes}, [&](byte_range part) {
    if (other == nullptr) other = first_other(part, freed_byte);
  });
  if (other == nullptr) return;
  memory_report what = about(memory_fault::write_after_free, b);
  what.offset = other - b.begin;
  what.found = std::to_integer<unsigned char>(*other);
  for_each_filled({b.begin, b.bytes}, [](byte_range part) { fill(part, freed_byte); });
  report(what);
}

/// An address came back that is not the start of a live block; `near` is the block at or in front of it.
void checking_resource::report_unknown(const block* near, const void* p, std::size_t bytes,
                                       std::size_t alignment) noexcept {
  memory_report what{.fault = memory_fault::foreign_pointer, .name = options_.name};
  if (near != nullptr && near->begin == p) {
    what = about(memory_fault::double_free, *near);
  } else if (near != nullptr && within(p, near->begin, near->bytes) == ownership::yes) {
    what = about(memory_fault::foreign_pointer, *near);
    what.offset = static_cast<const std::byte*>(p) - near->begin;
  }
  what.pointer = p;
  what.given_bytes = bytes;
  what.given_alignment = alignment;
  report(what);
}

void checking_resource::report(const memory_report& what) noexcept {
  ++errors_[static_cast<std::size_t>(what.fault)];
  if (!first_) first_ = what;
  last_ = what;
  if (options_.handler != nullptr) {
    options_.handler(what, options_.user);
  } else if (options_.action == on_fault::abort) {
    print(what, stderr);
    halt(as_failure(what));
  }
}

memory_report checking_resource::about(memory_fault fault, const block& b) const noexcept {
  return {.fault = fault,
          .name = options_.name,
          .serial = b.serial,
          .block = b.begin,
          .bytes = b.bytes,
          .alignment = b.alignment};
}

} // namespace allot::inline ALLOT_ABI
