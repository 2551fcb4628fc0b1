#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

namespace schedule {

/// What one schedule was made of, and how the next one is found: in order, so that none is left out; at random; or as a
/// text says that a failure left behind.
///
///     0 0 1 0 2 0        the same again up to the last choice that has another option, then that one:
///     0 0 1 0 2 1        and whatever comes after it starts with its first option
class choices {
public:
  enum class way : unsigned char { in_order, at_random, as_told };

  void set_way(way w) noexcept {
    way_ = w;
    made_.clear();
  }
  [[nodiscard]] bool is_random() const noexcept { return way_ == way::at_random; }
  [[nodiscard]] bool is_told() const noexcept { return way_ == way::as_told; }

  /// Starts a schedule.
  void begin() noexcept;
  void begin(std::uint64_t seed) noexcept;

  /// One of `options`, below it. \param wanted  what a random schedule takes
  std::size_t pick(std::size_t options, std::size_t wanted) noexcept;

  /// Where all options come to the same.
  void skip() noexcept { ++now_; }

  /// Below `n`.
  std::size_t random(std::size_t n) noexcept;

  /// Goes to the next schedule in order. \return false: that was the last one
  [[nodiscard]] bool next() noexcept;

  /// Starts in order again: what is a choice has changed.
  void forget() noexcept { made_.clear(); }

  /// Choices that were not those of the time before: something else decides, too.
  [[nodiscard]] std::size_t strayed() const noexcept { return strayed_; }

  /// The choices that were not the first option, as text: `17:1 40:2`.
  void write(char* text, std::size_t size) const noexcept;
  void read(std::string_view text);

private:
  struct choice {
    std::size_t when; // the how manyth
    std::size_t taken;
    std::size_t options;
  };

  std::size_t told() noexcept;

  std::vector<choice> made_;
  std::size_t at_ = 0;  // in made_
  std::size_t now_ = 0; // how many there were, with those that had one option
  std::size_t strayed_ = 0;
  std::uint64_t state_ = 1;
  way way_ = way::in_order;
};

} // namespace schedule
