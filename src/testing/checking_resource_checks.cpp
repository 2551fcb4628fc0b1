#include <allot/testing/checking_resource.hpp>

#include <allot/detail/poison.hpp>
#include <allot/testing/checking_resource_block.hpp>

#include <algorithm>
#include <cstddef>
#include <cstring>
#include <mutex>

namespace allot::inline ALLOT_ABI {

using detail::byte_range;
using detail::fill;
using detail::for_each_filled;

namespace {

/// The first byte of `range` that is not `value`, or null.
std::byte* first_other(byte_range range, unsigned char value) noexcept {
  const std::size_t n = range.size();
  if (n == 0) return nullptr;
  // Equal to itself moved by one: all bytes are the same. Much faster than the search, which is seldom needed.
  if (range[0] == std::byte{value} && std::memcmp(range.data(), range.data() + 1, n - 1) == 0) return nullptr;
  return &*std::find_if(range.begin(), range.end(), [value](std::byte b) { return b != std::byte{value}; });
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

} // namespace

std::size_t checking_resource::check() noexcept {
  const std::lock_guard lock{mutex_};
  const std::size_t before = errors();
  for (block* b = live_.first; b != nullptr; b = b->next)
    check_guards(*b);
  for (block* b = freed_.first; b != nullptr; b = b->next)
    check_freed(*b);
  return errors() - before;
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

} // namespace allot::inline ALLOT_ABI
