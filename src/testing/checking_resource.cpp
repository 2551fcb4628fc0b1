#include <allot/testing/checking_resource.hpp>

#include <allot/core/upstream.hpp>
#include <allot/detail/poison.hpp>
#include <allot/testing/split_mix.hpp>

#include <algorithm>
#include <cstdarg>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <new>
#include <utility>

namespace allot::inline ALLOT_ABI {

/// What is known of a block. A seal tells whether it was overwritten. No member leaves a gap: records are compared as
/// bytes.
struct checking_resource::record {
  std::byte* begin; // the block itself
  std::size_t bytes;
  std::size_t alignment;
  std::size_t serial;
  void* raw; // what the upstream gave
  std::size_t raw_bytes;
  std::size_t live = 1;
  std::size_t seal = 0;

  [[nodiscard]] std::size_t right_seal() const noexcept {
    std::uint64_t hash = 0;
    for (const std::uintptr_t part :
         {reinterpret_cast<std::uintptr_t>(begin), std::uintptr_t{bytes}, std::uintptr_t{alignment},
          std::uintptr_t{serial}, reinterpret_cast<std::uintptr_t>(raw), std::uintptr_t{raw_bytes},
          std::uintptr_t{live}}) {
      hash = (hash ^ part) * 0x9E3779B97F4A7C15u;
      hash ^= hash >> 32;
    }
    return static_cast<std::size_t>(hash) | 1; // never 0, which is what stray writes are made of
  }
  [[nodiscard]] bool is_sealed() const noexcept { return seal == right_seal(); }
};

/// The header of a block. It lies in front of the block's first guard and is all the bookkeeping there is. A write that
/// runs down from the block meets `own` first, then `spare`, and the links last.
struct checking_resource::block {
  block* left = nullptr; // tree by address, in heap order of `priority` (a treap)
  block* right = nullptr;
  block* previous = nullptr; // list by age
  block* next = nullptr;
  std::uint64_t priority;
  record spare; // the same as `own`
  record own;

  explicit block(const record& r) noexcept : priority{split_mix{r.serial}()}, spare{r}, own{r} { reseal(); }

  void reseal() noexcept {
    own.seal = own.right_seal();
    spare = own;
  }
  /// The copy that was not overwritten.
  [[nodiscard]] const record& known() const noexcept { return own.is_sealed() ? own : spare; }

  [[nodiscard]] std::byte* begin() const noexcept { return own.begin; }
  [[nodiscard]] std::byte* end() const noexcept { return own.begin + own.bytes; }
  [[nodiscard]] std::span<std::byte> bytes() const noexcept { return {own.begin, own.bytes}; }
  [[nodiscard]] std::byte* front_guard() noexcept { return reinterpret_cast<std::byte*>(this + 1); }
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
  if (below->priority > above->priority) {
    below->right = join(below->right, above);
    return below;
  }
  above->left = join(below, above->left);
  return above;
}

template <class Block>
void insert(Block*& tree, Block* b) noexcept {
  Block** link = &tree;
  while (*link != nullptr && (*link)->priority > b->priority) {
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
  if (what.fault == memory_fault::underrun && what.serial == 0) {
    return line.add("the block at about %p, whose header is lost,", what.block);
  }
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
  return {.reason = at_deallocation                    ? failure_reason::wrong_deallocation
                    : what.fault == memory_fault::leak ? failure_reason::leak
                                                       : failure_reason::precondition,
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
  if (options_.verbose) std::fprintf(stderr, "allocate %zu bytes aligned to %zu\n", bytes, alignment);

  constexpr std::size_t front = sizeof(block) + guard_bytes;
  const auto slack = checked_multiply(alignment, 2);
  const auto around = slack ? checked_add(*slack, front + guard_bytes) : std::nullopt;
  const auto wanted = around ? checked_add(*around, bytes) : std::nullopt;
  void* const raw = wanted && *wanted <= most_bytes && limit_ != 0 ? take_upstream(*wanted) : nullptr;
  if (raw == nullptr) return nullptr;
  if (limit_ != unlimited) --limit_;

  auto* const lowest = static_cast<std::byte*>(raw) + front;
  auto* const begin = lowest + padding_to_exactly(address(lowest), alignment);
  auto* const header = begin - front - (address(begin) % alignof(block));
  auto* const b = ::new (header) block{record{.begin = begin,
                                              .bytes = bytes,
                                              .alignment = alignment,
                                              .serial = counts_.allocations + 1,
                                              .raw = raw,
                                              .raw_bytes = *wanted}};
  fill({b->front_guard(), b->begin()}, guard_byte);
  for_each_filled(b->bytes(), [](byte_range part) {
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
  erase(tree_, b);
  const auto [raw, bytes] = std::pair{b->own.raw, b->own.raw_bytes};
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
  for_each_filled(b.bytes(), [](byte_range part) { fill(part, freed_byte); });
  freed_.append(&b);
  freed_bytes_ += b.own.raw_bytes;
  trim_quarantine(options_.quarantine_bytes);
}

ownership checking_resource::holds(const void* p) const noexcept {
  const std::lock_guard lock{mutex_};
  const block* const b = at_or_before(p);
  if (b == nullptr) return ownership::no;
  const record& r = b->known();
  return within(p, r.begin, std::max<std::size_t>(r.bytes, 1));
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
    freed_bytes_ -= b->own.raw_bytes;
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
  if (bytes != b.own.bytes) found(memory_fault::wrong_size);
  if (alignment != b.own.alignment) found(memory_fault::wrong_alignment);
  if (is_poisoned(b.bytes())) {
    found(memory_fault::poisoned);
    detail::unpoison(b.begin(), b.own.bytes);
  }
}

/// Reports where one copy of the record was overwritten, and takes it from the other. Where both were, nothing more can
/// be known of the block: the program ends.
void checking_resource::check_header(block& b) noexcept {
  const bool own_is_right = b.own.is_sealed();
  if (own_is_right && std::memcmp(&b.own, &b.spare, sizeof(record)) == 0) return;
  if (!own_is_right && !b.spare.is_sealed()) lose(b);

  record& wrong = own_is_right ? b.spare : b.own;
  const record& right = own_is_right ? b.own : b.spare;
  const auto* const seen = reinterpret_cast<const std::byte*>(&wrong);
  const auto* const other = std::mismatch(seen, seen + sizeof wrong, reinterpret_cast<const std::byte*>(&right)).first;
  memory_report what = about(memory_fault::underrun, b);
  what.offset = other - right.begin;
  what.found = std::to_integer<unsigned char>(*other);
  wrong = right;
  fill({b.front_guard(), b.begin()}, guard_byte); // the same write came through there: no second report
  report(what);
}

void checking_resource::lose(block& b) noexcept {
  std::byte* const about_there = b.front_guard() + guard_bytes;
  const memory_report what{.fault = memory_fault::underrun,
                           .name = options_.name,
                           .block = about_there,
                           .offset = reinterpret_cast<std::byte*>(&b.spare.seal) - about_there,
                           .found = static_cast<unsigned char>(b.spare.seal)};
  report(what);
  print(what, stderr);
  halt(as_failure(what));
}

void checking_resource::check_guards(block& b) noexcept {
  check_header(b);
  const auto look = [&](byte_range guard, memory_fault fault) {
    const std::byte* const other = first_other(guard, guard_byte);
    if (other == nullptr) return;
    memory_report what = about(fault, b);
    what.offset = other - b.begin();
    what.found = std::to_integer<unsigned char>(*other);
    fill(guard, guard_byte);
    report(what);
  };
  look({b.front_guard(), b.begin()}, memory_fault::underrun);
  look({b.end(), guard_bytes}, memory_fault::overrun);
}

void checking_resource::check_freed(block& b) noexcept {
  check_guards(b);
  const std::byte* other = nullptr;
  for_each_filled(b.bytes(), [&](byte_range part) {
    if (other == nullptr) other = first_other(part, freed_byte);
  });
  if (other == nullptr) return;
  memory_report what = about(memory_fault::write_after_free, b);
  what.offset = other - b.begin();
  what.found = std::to_integer<unsigned char>(*other);
  for_each_filled(b.bytes(), [](byte_range part) { fill(part, freed_byte); });
  report(what);
}

/// An address came back that is not the start of a live block; `near` is the block at or in front of it.
void checking_resource::report_unknown(const block* near, const void* p, std::size_t bytes,
                                       std::size_t alignment) noexcept {
  memory_report what{.fault = memory_fault::foreign_pointer, .name = options_.name};
  if (near != nullptr && near->begin() == p) {
    what = about(memory_fault::double_free, *near);
  } else if (near != nullptr && within(p, near->begin(), near->own.bytes) == ownership::yes) {
    what = about(memory_fault::foreign_pointer, *near);
    what.offset = static_cast<const std::byte*>(p) - near->begin();
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
  const record& r = b.known();
  return {.fault = fault,
          .name = options_.name,
          .serial = r.serial,
          .block = r.begin,
          .bytes = r.bytes,
          .alignment = r.alignment};
}

} // namespace allot::inline ALLOT_ABI
