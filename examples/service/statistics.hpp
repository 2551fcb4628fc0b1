#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <span>

namespace service {

/// Every status that the service answers with: the values of a metric's label.
inline constexpr std::array<unsigned, 15> status_codes{200, 400, 404, 405, 408, 411, 413, 415,
                                                       417, 429, 431, 500, 501, 503, 505};

/// A number that one thread changes and others read.
class counter {
public:
  void add(std::uint64_t n = 1) noexcept {
    n_.store(n_.load(std::memory_order_relaxed) + n, std::memory_order_relaxed);
  }
  void subtract(std::uint64_t n = 1) noexcept { add(0 - n); }
  [[nodiscard]] std::uint64_t read() const noexcept { return n_.load(std::memory_order_relaxed); }

private:
  std::atomic<std::uint64_t> n_{0};
};

/// What one thread that serves has counted.
struct alignas(64) statistics {
  std::array<counter, status_codes.size()> answers; ///< in the order of `status_codes`
  counter in_flight;                                ///< requests whose header is here and whose answer is not yet sent
  counter connections;                              ///< open now
  counter accepted;                                 ///< connections ever
  counter timeouts;                                 ///< connections closed since nothing moved
  counter broken;                                   ///< connections that ended in the middle of a request or an answer

  void count_answer(unsigned status) noexcept {
    for (std::size_t i = 0; i < status_codes.size(); ++i) {
      if (status_codes[i] == status) answers[i].add();
    }
  }
};

/// One figure of all threads.
template <class Member>
[[nodiscard]] std::uint64_t sum(std::span<const statistics> all, Member member) noexcept {
  std::uint64_t total = 0;
  for (const statistics& s : all)
    total += member(s).read();
  return total;
}

} // namespace service
