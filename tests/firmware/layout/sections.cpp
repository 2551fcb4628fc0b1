// Memory that keeps what it holds over a reset. sections_test.py builds and runs this, also with wrong linker scripts.

#include <allot/arena/static_arena.hpp>
#include <allot/source/section_buffer.hpp>

#include <board/board.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

ALLOT_SECTION_BUFFER(frames, 1024, 64, ".usbsram");
ALLOT_SECTION_BUFFER(journal, 256, 8, ".usbsram"); // between two others, in whatever order the compiler lays them out
ALLOT_SECTION_BUFFER(trace, 64, 8, ".usbsram");
ALLOT_SECTION_BUFFER(boots, 8, 8, ".noinit");

constinit allot::static_arena<256> arena;

namespace {

constinit volatile std::uint32_t zero = 0;
constinit volatile std::uint32_t answer = 42;

constexpr std::byte pattern[] = {std::byte{0xa5}, std::byte{0x5a}, std::byte{0xc3}};
constexpr std::string_view second_boot = "2nd boot";

int broken = 0;

void check(bool holds, std::string_view claim) {
  board::write(holds ? "yes: " : "no: ");
  board::write(claim);
  board::write("\n");
  if (!holds) ++broken;
}

void fill(std::span<std::byte> bytes) {
  for (std::size_t i = 0; i < bytes.size(); ++i)
    bytes[i] = pattern[i % std::size(pattern)];
}

bool is_filled(std::span<const std::byte> bytes) {
  for (std::size_t i = 0; i < bytes.size(); ++i)
    if (bytes[i] != pattern[i % std::size(pattern)]) return false;
  return true;
}

bool is_zero(std::span<const std::byte> bytes) {
  return std::all_of(bytes.begin(), bytes.end(), [](std::byte b) { return b == std::byte{0}; });
}

void check_statics() {
  check(zero == 0, ".bss is zero");
  check(answer == 42, ".data has its first values");
  check(!frames.is_claimed() && !journal.is_claimed() && !trace.is_claimed() && !boots.is_claimed() &&
            !arena.is_claimed(),
        "nothing is claimed");
}

/// Looked at past the handle, which is what is tested.
bool is_second_boot() {
  return std::equal(std::begin(boots_bytes), std::end(boots_bytes), second_boot.begin(),
                    [](std::byte b, char c) { return b == std::byte(c); });
}

[[noreturn]] void reset_with_memory_in_use() {
  zero = 1;
  answer = 1;
  fill(frames.claim("frames"));
  fill(journal.claim("journal"));
  fill(trace.claim("trace"));
  (void)arena.claim("arena").allocate(100);
  check(!frames.try_claim() && arena.try_claim() == nullptr, "a second claim fails");
  const auto boot = boots.claim("boots");
  std::transform(second_boot.begin(), second_boot.end(), boot.begin(), [](char c) { return std::byte(c); });
  if (broken != 0) board::exit(broken);
  board::reset();
}

int look_after_the_reset() {
  const auto kept = frames.claim("frames");
  const auto kept_too = trace.claim("trace");
  check(is_filled(kept) && is_filled(kept_too), "the section keeps its bytes, and a claim leaves them alone");
  check(is_zero(journal.claim_zeroed("journal")), "claim_zeroed writes zeros");
  check(is_filled(kept) && is_filled(kept_too), "over its own bytes only");
  check(arena.claim("arena").used() == 0, "the arena is empty");
  return broken;
}

} // namespace

int main() {
  check_statics();
  if (is_second_boot()) return look_after_the_reset();
  reset_with_memory_in_use();
}
