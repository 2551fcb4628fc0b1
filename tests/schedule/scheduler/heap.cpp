#include "heap.hpp"

#include <cstdint>
#include <new>

namespace schedule {
namespace {

constexpr std::size_t heap_bytes = std::size_t{1} << 20;
alignas(64) std::byte heap_memory[heap_bytes];
std::size_t heap_used = 0;

} // namespace

heap::heap(threads who) noexcept : who_{who} {
  if (heap_used != 0) the_machine.fail("a test has two heaps");
}

heap::~heap() {
  if (live_ != 0) the_machine.fail("a block was not given back to the heap");
  heap_used = 0;
}

void heap::called(actor* by, const void* from) {
  if (by != nullptr && who_ == threads::one_at_a_time) the_machine.touch(*by, {&live_, from}, 1, access::write);
}

void* heap::do_allocate(std::size_t bytes, std::size_t alignment) {
  const unwatched here;
  called(here.me, __builtin_return_address(0));
  if (calls_left_ == 0) throw std::bad_alloc{};
  --calls_left_;
  const auto address = reinterpret_cast<std::uintptr_t>(heap_memory) + heap_used;
  const std::size_t begin = heap_used + (-address & (alignment - 1));
  if (used_ == most_blocks || bytes > heap_bytes - begin) the_machine.fail("a test needs a larger heap");
  heap_used = begin + bytes;
  blocks_[used_++] = {heap_memory + begin, bytes};
  ++live_;
  return heap_memory + begin;
}

void heap::do_deallocate(void* p, std::size_t bytes, std::size_t) {
  const unwatched here;
  called(here.me, __builtin_return_address(0));
  for (block& b : blocks_) {
    if (b.p != p || p == nullptr) continue;
    if (b.bytes != bytes) the_machine.fail("a block came back to the heap as another size");
    b = {};
    --live_;
    if (here.me != nullptr) the_machine.freed(*here.me, {p, __builtin_return_address(0)}, bytes);
    return;
  }
  the_machine.fail("a block came back to the heap that it has not given out");
}

} // namespace schedule
