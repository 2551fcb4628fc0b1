#include "request_head.hpp"

#include <algorithm>
#include <charconv>

namespace service {
namespace {

constexpr char lower(char c) noexcept { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

std::string_view trimmed(std::string_view text) noexcept {
  const std::size_t first = text.find_first_not_of(" \t");
  return first == text.npos ? std::string_view{} : text.substr(first, text.find_last_not_of(" \t") - first + 1);
}

/// Cuts the text before the first `separator` off `rest`.
std::string_view next(std::string_view& rest, char separator) noexcept {
  const std::size_t end = std::min(rest.find(separator), rest.size());
  const std::string_view part = rest.substr(0, end);
  rest.remove_prefix(std::min(end + 1, rest.size()));
  return part;
}

/// The quality in thousandths of a media range's parameters (RFC 9110, 12.4.2); 1000 where they name none.
int quality(std::string_view parameters) noexcept {
  while (!parameters.empty()) {
    const std::string_view parameter = trimmed(next(parameters, ';'));
    if (parameter.size() < 3 || lower(parameter[0]) != 'q' || parameter[1] != '=') continue;
    int thousandths = parameter[2] == '1' ? 1000 : 0;
    int weight = 100;
    for (std::size_t i = 4; i < std::min<std::size_t>(parameter.size(), 7); ++i, weight /= 10) {
      if (parameter[i] >= '0' && parameter[i] <= '9') thousandths += (parameter[i] - '0') * weight;
    }
    return std::min(thousandths, 1000);
  }
  return 1000;
}

} // namespace

bool same_word(std::string_view a, std::string_view b) noexcept {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(), [](char x, char y) { return lower(x) == lower(y); });
}

request_target split_target(std::string_view target) noexcept {
  if (const std::size_t scheme = target.find("://"); scheme != target.npos && target.front() != '/') {
    target.remove_prefix(scheme + 3);
    target.remove_prefix(std::min(target.find('/'), target.size()));
  }
  const std::size_t question = std::min(target.find('?'), target.size());
  return {target.substr(0, question), target.substr(std::min(question + 1, target.size()))};
}

std::optional<std::size_t> top_of(std::string_view query, std::size_t otherwise, std::size_t most) noexcept {
  while (!query.empty()) {
    const std::string_view parameter = next(query, '&');
    if (!parameter.starts_with("top=")) continue;
    const std::string_view digits = parameter.substr(4);
    std::size_t n = 0;
    const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), n);
    if (error != std::errc{} || end != digits.data() + digits.size() || n == 0 || n > most) return std::nullopt;
    return n;
  }
  return otherwise;
}

bool is_json(std::string_view content_type) noexcept {
  const std::string_view type = trimmed(next(content_type, ';'));
  return same_word(type, "application/json") || (type.size() > 5 && same_word(type.substr(type.size() - 5), "+json"));
}

bool prefers_openmetrics(std::string_view accept) noexcept {
  int openmetrics = 0;
  int plain = 0;
  while (!accept.empty()) {
    std::string_view range = next(accept, ',');
    const std::string_view type = trimmed(next(range, ';'));
    if (same_word(type, "application/openmetrics-text")) openmetrics = std::max(openmetrics, quality(range));
    if (same_word(type, "text/plain") || same_word(type, "text/*")) plain = std::max(plain, quality(range));
  }
  return openmetrics > 0 && openmetrics >= plain;
}

} // namespace service
