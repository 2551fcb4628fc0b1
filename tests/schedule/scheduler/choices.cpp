#include "choices.hpp"

#include <charconv>
#include <cstdio>

namespace schedule {

void choices::begin() noexcept { at_ = now_ = 0; }

void choices::begin(std::uint64_t seed) noexcept {
  begin();
  made_.clear();
  state_ = (seed + 1) * 0x9E3779B97F4A7C15u | 1;
}

std::size_t choices::random(std::size_t n) noexcept {
  state_ ^= state_ << 13; // Marsaglia, "Xorshift RNGs", 2003
  state_ ^= state_ >> 7;
  state_ ^= state_ << 17;
  return static_cast<std::size_t>(state_ >> 16) % n;
}

std::size_t choices::told() noexcept {
  if (at_ == made_.size() || made_[at_].when != now_) return 0;
  return made_[at_++].taken;
}

std::size_t choices::pick(std::size_t options, std::size_t wanted) noexcept {
  ++now_;
  if (is_told()) {
    const std::size_t taken = told();
    strayed_ += taken >= options;
    return taken < options ? taken : 0;
  }
  if (options < 2) return 0;
  if (at_ == made_.size()) made_.push_back({now_, is_random() ? wanted : 0, options});
  choice& now = made_[at_++];
  strayed_ += now.when != now_ || now.options != options;
  now.when = now_;
  now.options = options;
  if (now.taken >= options) now.taken = 0;
  return now.taken;
}

bool choices::next() noexcept {
  made_.resize(at_);
  while (!made_.empty() && made_.back().taken + 1 >= made_.back().options)
    made_.pop_back();
  if (made_.empty()) return false;
  ++made_.back().taken;
  return true;
}

void choices::write(char* text, std::size_t size) const noexcept {
  std::size_t used = 0;
  for (std::size_t i = 0; i < at_ && used + 32 < size; ++i) {
    if (made_[i].taken == 0) continue;
    const int n =
        std::snprintf(text + used, size - used, "%s%zu:%zu", used == 0 ? "" : " ", made_[i].when, made_[i].taken);
    used += static_cast<std::size_t>(n);
  }
}

void choices::read(std::string_view text) {
  made_.clear();
  const char* const end = text.data() + text.size();
  for (const char* at = text.data(); at != end;) {
    choice told{};
    at = std::from_chars(at, end, told.when).ptr;
    if (at != end) at = std::from_chars(at + 1, end, told.taken).ptr; // past the colon
    made_.push_back(told);
    if (at != end) ++at; // past the space
  }
}

} // namespace schedule
