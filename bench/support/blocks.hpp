#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <vector>

namespace bench {

/// Numbers that no branch predictor learns and every run repeats.
class numbers {
public:
  explicit numbers(std::uint32_t seed) noexcept : state_{seed} {}

  /// One of 0 to `below` - 1.
  [[nodiscard]] std::uint32_t operator()(std::uint32_t below) noexcept {
    state_ = state_ * 6364136223846793005U + 1442695040888963407U;
    return static_cast<std::uint32_t>(((state_ >> 32) * below) >> 32);
  }

private:
  std::uint64_t state_;
};

/// Sizes of `least` to `most` bytes, multiples of `step`.
[[nodiscard]] inline std::vector<std::uint32_t> sizes_between(std::uint32_t least, std::uint32_t most,
                                                              std::uint32_t step, std::size_t count) {
  numbers next{12345};
  std::vector<std::uint32_t> sizes(count);
  for (std::uint32_t& size : sizes)
    size = least + next((most - least) / step + 1) * step;
  return sizes;
}

/// The numbers below `count` in a random order.
[[nodiscard]] inline std::vector<std::uint32_t> shuffled(std::size_t count) {
  numbers next{54321};
  std::vector<std::uint32_t> order(count);
  for (std::size_t i = 0; i < count; ++i) {
    const std::size_t k = next(static_cast<std::uint32_t>(i + 1));
    order[i] = order[k];
    order[k] = static_cast<std::uint32_t>(i);
  }
  return order;
}

/// Whether blocks of these sizes, live at once, are aligned and hold what is written to them: so that a peer that is
/// broken, or wrongly asked, cannot win. The blocks stay allocated.
template <class Resource>
[[nodiscard]] bool gives_good_blocks(Resource& r, std::span<const std::uint32_t> sizes, std::vector<void*>& blocks) {
  bool good = true;
  for (const std::uint32_t size : sizes) {
    void* const p = r.allocate(size, 8);
    good = good && p != nullptr && reinterpret_cast<std::uintptr_t>(p) % 8 == 0;
    if (!good) return false;
    std::memset(p, static_cast<unsigned char>(blocks.size() % 251), size);
    blocks.push_back(p);
  }
  for (std::size_t i = 0; i < blocks.size(); ++i) {
    const auto* const bytes = static_cast<const unsigned char*>(blocks[i]);
    for (std::size_t k = 0; k < sizes[i]; ++k)
      good = good && bytes[k] == i % 251;
  }
  return good;
}

} // namespace bench
