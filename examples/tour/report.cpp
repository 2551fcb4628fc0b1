#include "report.hpp"

#include <algorithm>
#include <array>
#include <cstdio>

namespace tour {
namespace {

/// Bytes of the well-formed UTF-8 character that `text` starts with (Unicode 15, table 3-7), or 0.
std::size_t character_length(std::string_view text) noexcept {
  const auto byte = [text](std::size_t i) { return i < text.size() ? static_cast<unsigned char>(text[i]) : 0U; };
  const auto in = [](unsigned b, unsigned low, unsigned high) { return b >= low && b <= high; };
  const unsigned first = byte(0);
  if (first < 0x80) return 1;
  if (in(first, 0xC2, 0xDF)) return in(byte(1), 0x80, 0xBF) ? 2 : 0;
  if (in(first, 0xE0, 0xEF)) {
    const unsigned low = first == 0xE0 ? 0xA0 : 0x80;
    const unsigned high = first == 0xED ? 0x9F : 0xBF;
    return in(byte(1), low, high) && in(byte(2), 0x80, 0xBF) ? 3 : 0;
  }
  if (in(first, 0xF0, 0xF4)) {
    const unsigned low = first == 0xF0 ? 0x90 : 0x80;
    const unsigned high = first == 0xF4 ? 0x8F : 0xBF;
    return in(byte(1), low, high) && in(byte(2), 0x80, 0xBF) && in(byte(3), 0x80, 0xBF) ? 4 : 0;
  }
  return 0;
}

bool is_control(std::string_view character) noexcept {
  const auto first = static_cast<unsigned char>(character[0]);
  if (character.size() == 1) return first < 0x20 || first == 0x7F;
  return first == 0xC2 && static_cast<unsigned char>(character[1]) < 0xA0; // U+0080 to U+009F
}

std::string cell(std::optional<std::uint64_t> n) { return n ? grouped(*n) : "n/a"; }

std::string percent(const contender& row) {
  if (!row.reserved || *row.reserved == 0) return "n/a";
  const auto reserved = static_cast<double>(*row.reserved);
  std::array<char, 16> text{};
  std::snprintf(text.data(), text.size(), "%.0f %%", 100 * (reserved - static_cast<double>(*row.peak)) / reserved);
  return text.data();
}

std::string duration(std::optional<double> seconds) {
  if (!seconds) return "n/a";
  std::array<char, 32> text{};
  const double us = *seconds * 1e6;
  const double value = us < 1e3 ? us : us < 1e6 ? us / 1e3 : us / 1e6;
  std::snprintf(text.data(), text.size(), "%.3g %s", value, us < 1e3 ? "us" : us < 1e6 ? "ms" : "s");
  return text.data();
}

std::string ratio(std::optional<double> seconds, std::optional<double> reference) {
  if (!seconds || !reference) return "n/a";
  std::array<char, 32> text{};
  std::snprintf(text.data(), text.size(), "x%.2f", *seconds / *reference);
  return text.data();
}

void print_row(const std::array<std::string, 8>& cells) {
  std::printf("  %-20s %7s %6s %9s %12s %12s %12s %6s\n", cells[0].c_str(), cells[1].c_str(), cells[2].c_str(),
              cells[3].c_str(), cells[4].c_str(), cells[5].c_str(), cells[6].c_str(), cells[7].c_str());
}

} // namespace

std::string grouped(std::uint64_t n) {
  std::string digits = std::to_string(n);
  for (std::size_t i = digits.size(); i > 3; i -= 3)
    digits.insert(i - 3, 1, ',');
  return digits;
}

std::string printable(std::string_view text, std::size_t columns) {
  std::string shown;
  std::size_t width = 0;
  while (!text.empty()) {
    const std::size_t length = character_length(text);
    const std::string_view character = text.substr(0, length == 0 ? 1 : length);
    std::array<char, 5> escape{};
    const bool plain = length != 0 && !is_control(character);
    if (!plain) std::snprintf(escape.data(), escape.size(), "\\x%02x", static_cast<unsigned char>(text[0]));
    const std::size_t needs = plain ? 1 : 4;
    if (width + needs > columns) return shown + "...";
    shown += plain ? character : std::string_view{escape.data()};
    width += needs;
    text.remove_prefix(plain ? character.size() : 1);
  }
  return shown;
}

void print_words(const word_counts& counts) {
  using entry = word_counts::map::value_type;
  std::array<const entry*, 10> top{};
  const auto before = [](const entry* a, const entry* b) {
    if (b == nullptr) return a != nullptr;
    if (a == nullptr) return false;
    return a->second != b->second ? a->second > b->second : a->first < b->first;
  };
  for (const entry& e : counts.words()) {
    if (!before(&e, top.back())) continue;
    top.back() = &e;
    for (std::size_t i = top.size() - 1; i > 0 && before(top[i], top[i - 1]); --i)
      std::swap(top[i], top[i - 1]);
  }
  for (const entry* e : top) {
    if (e != nullptr) std::printf("  %12s  %s\n", grouped(e->second).c_str(), printable(e->first, 60).c_str());
  }
}

void print_table(const std::vector<contender>& rows) {
  print_row({"", "time", "ratio", "calls", "requested", "peak", "reserved", "waste"});
  for (const contender& row : rows) {
    print_row({row.name, duration(row.seconds), ratio(row.seconds, rows.front().seconds), cell(row.upstream_calls),
               cell(row.requested), cell(row.peak), cell(row.reserved), percent(row)});
  }
}

} // namespace tour
