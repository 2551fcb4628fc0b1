// The arithmetic below every resource, on any numbers: size classes, alignments, sums and products that may not fit.

#include <allot/core/layout.hpp>
#include <allot/detail/size_classes.hpp>

#include "require.hpp"
#include "target.hpp"

#include <cstddef>
#include <cstdint>

namespace {

namespace detail = allot::detail;

__extension__ using wide = unsigned __int128;

void check_class(std::size_t bytes, std::size_t alignment) {
  const std::size_t key = detail::class_key(bytes, alignment);
  if (bytes == 0) {
    FUZZ_REQUIRE(key == SIZE_MAX);
    return;
  }
  FUZZ_REQUIRE(wide{key} + 1 == (wide{bytes} + alignment - 1) / alignment * alignment);
  if (key >= detail::largest_class_bytes) return;
  const std::size_t index = detail::class_of(key);
  FUZZ_REQUIRE(index < detail::class_count);
  const std::size_t block = detail::class_bytes(index);
  FUZZ_REQUIRE(block >= bytes && block % alignment == 0 && detail::class_alignment(block) >= alignment);
  FUZZ_REQUIRE(index == 0 || detail::class_bytes(index - 1) <= key); // the next smaller one does not do
  FUZZ_REQUIRE(bytes % alignment != 0 || (key < 512 ? block - bytes < 8 : (block - bytes) * 5 <= block));
}

void check_options(std::size_t blocks, std::size_t largest) {
  const auto obeyed = detail::obeyed({.max_blocks_per_chunk = blocks, .largest_required_pool_block = largest});
  FUZZ_REQUIRE(obeyed.max_blocks_per_chunk == (blocks == 0 || blocks > 8192 ? 8192 : blocks));
  const std::size_t block = obeyed.largest_required_pool_block;
  const bool is_most = largest == 0 || largest > detail::largest_class_bytes;
  FUZZ_REQUIRE(is_most ? block == detail::largest_class_bytes : block >= largest);
  FUZZ_REQUIRE(detail::class_bytes(detail::class_of(block - 1)) == block);
}

void check_sums(std::size_t a, std::size_t b, std::size_t alignment) {
  const auto fits = [](wide n) { return n <= SIZE_MAX; };
  const auto sum = allot::checked_add(a, b);
  FUZZ_REQUIRE(sum.has_value() == fits(wide{a} + b) && (!sum || *sum == a + b));
  const auto product = allot::checked_multiply(a, b);
  FUZZ_REQUIRE(product.has_value() == fits(wide{a} * b) && (!product || *product == a * b));
  FUZZ_REQUIRE(allot::align_down(a, alignment) == a / alignment * alignment);
  const wide above = (wide{a} + alignment - 1) / alignment * alignment;
  const auto up = allot::align_up(a, alignment);
  FUZZ_REQUIRE(up.has_value() == fits(above) && (!up || *up == static_cast<std::size_t>(above)));
}

void run(fuzz::input& in) {
  while (!in.is_empty()) {
    const std::size_t a = in.size();
    const std::size_t b = in.size();
    const std::size_t alignment = in.alignment();
    check_class(a, alignment);
    check_options(a, b);
    check_sums(a, b, alignment);
  }
}

} // namespace

FUZZ_TARGET(run)
