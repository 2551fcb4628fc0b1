// The reports, with any names, labels and figures, in buffers of every size: JSON and the two formats of metrics are read
// back by a reader of their grammar, and say what was put in.

#include <allot/adaptor/counting_adaptor.hpp>
#include <allot/adaptor/limit_adaptor.hpp>
#include <allot/adaptor/tag_adaptor.hpp>
#include <allot/arena/bump_resource.hpp>
#include <allot/core/tag.hpp>
#include <allot/report/exposition.hpp>
#include <allot/report/json.hpp>
#include <allot/report/text.hpp>
#include <allot/router/size_router.hpp>

#include "require.hpp"
#include "target.hpp"

#include <algorithm>
#include <array>
#include <cctype>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace {

namespace report = allot::report;
using fuzz::input;

bool is_utf8(std::string_view text) {
  for (std::size_t i = 0; i < text.size();) {
    const auto byte = [&](std::size_t k) { return i + k < text.size() ? static_cast<unsigned char>(text[i + k]) : 0u; };
    const unsigned lead = byte(0);
    const std::size_t length = lead < 0x80 ? 1 : lead >> 5 == 6 ? 2 : lead >> 4 == 14 ? 3 : lead >> 3 == 30 ? 4 : 0;
    if (length == 0) return false;
    unsigned code = length == 1 ? lead : lead & (0xFFu >> (length + 1));
    for (std::size_t k = 1; k < length; ++k) {
      if (byte(k) >> 6 != 2) return false;
      code = code << 6 | (byte(k) & 0x3F);
    }
    constexpr std::array<unsigned, 5> least{0, 0, 0x80, 0x800, 0x10000};
    if (code < least[length] || code > 0x10FFFF || (code >= 0xD800 && code <= 0xDFFF)) return false;
    i += length;
  }
  return true;
}

/// Whether a text is JSON.
class json_reader {
public:
  explicit json_reader(std::string_view text) : rest_{text} {}

  bool read_all() { return value(0) && (skip(), rest_.empty()); }

private:
  void skip() {
    while (!rest_.empty() && (rest_.front() == ' ' || rest_.front() == '\n'))
      rest_.remove_prefix(1);
  }
  bool take(std::string_view word) {
    if (!rest_.starts_with(word)) return false;
    rest_.remove_prefix(word.size());
    return true;
  }
  bool string() {
    if (!take("\"")) return false;
    for (std::size_t i = 0; i < rest_.size(); ++i) {
      const char c = rest_[i];
      if (c == '"') {
        rest_.remove_prefix(i + 1);
        return true;
      }
      if (static_cast<unsigned char>(c) < 0x20) return false;
      if (c == '\\' && !is_escape(i)) return false;
    }
    return false;
  }
  /// At `i` stands a backslash; moves to the last character of the escape.
  bool is_escape(std::size_t& i) const {
    const char kind = ++i < rest_.size() ? rest_[i] : '\0';
    if (kind != 'u') return kind != '\0' && std::strchr("\"\\/bfnrt", kind) != nullptr;
    for (std::size_t digits = 0; digits < 4; ++digits) {
      if (++i >= rest_.size() || std::isxdigit(static_cast<unsigned char>(rest_[i])) == 0) return false;
    }
    return true;
  }
  bool number() {
    const std::size_t digits = std::min(rest_.find_first_not_of("0123456789"), rest_.size());
    if (digits == 0 || (digits > 1 && rest_.front() == '0')) return false;
    rest_.remove_prefix(digits);
    return true;
  }
  bool value(std::size_t depth) {
    skip();
    if (depth > 50 || rest_.empty()) return false;
    if (rest_.front() == '{') return members(depth, '}');
    if (rest_.front() == '[') return members(depth, ']');
    if (rest_.front() == '"') return string();
    return take("null") || take("true") || number();
  }
  bool members(std::size_t depth, char end) {
    rest_.remove_prefix(1);
    for (bool is_first = true;; is_first = false) {
      skip();
      if (rest_.empty()) return false;
      if (rest_.front() == end && is_first) break;
      if (end == '}' && !(string() && (skip(), take(":")))) return false;
      if (!value(depth + 1)) return false;
      skip();
      if (!rest_.empty() && rest_.front() == end) break;
      if (!take(",")) return false;
    }
    rest_.remove_prefix(1);
    return true;
  }

  std::string_view rest_;
};

/// Whether a text is an exposition; counts its samples.
class exposition_reader {
public:
  exposition_reader(std::string_view text, report::metrics_format format)
      : rest_{text}, is_open_{format == report::metrics_format::open_metrics} {}

  bool read_all() {
    while (!rest_.empty()) {
      const std::size_t end = rest_.find('\n');
      if (end == rest_.npos || has_ended_) return false;
      const std::string_view line = rest_.substr(0, end);
      rest_.remove_prefix(end + 1);
      if (!(line.starts_with('#') ? comment(line) : sample(line))) return false;
    }
    return has_ended_ == is_open_;
  }
  [[nodiscard]] std::size_t samples() const { return samples_; }

private:
  static std::size_t name_length(std::string_view text) {
    const auto is_name = [](char c) { return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_'; };
    if (text.empty() || std::isalpha(static_cast<unsigned char>(text.front())) == 0) return 0;
    return static_cast<std::size_t>(std::find_if_not(text.begin(), text.end(), is_name) - text.begin());
  }

  bool comment(std::string_view line) {
    if (is_open_ && line == "# EOF") return has_ended_ = true;
    for (const std::string_view keyword : {"# TYPE ", "# UNIT ", "# HELP "}) {
      if (!line.starts_with(keyword)) continue;
      const std::string_view rest = line.substr(keyword.size());
      const std::size_t length = name_length(rest);
      if (length == 0 || length == rest.size() || rest[length] != ' ') return false;
      if (keyword == "# TYPE ") {
        family_ = rest.substr(0, length);
        return true;
      }
      return rest.substr(0, length) == family_ && (is_open_ || keyword != "# UNIT ");
    }
    return false;
  }

  bool sample(std::string_view line) {
    const std::size_t length = name_length(line);
    if (length == 0 || !line.starts_with(family_)) return false;
    line.remove_prefix(length);
    if (line.starts_with('{') && !labels(line)) return false;
    ++samples_;
    return line.size() > 1 && line.front() == ' ' &&
           (line == " +Inf" || line == " -Inf" || line == " NaN" ||
            line.find_first_not_of("0123456789.e+-", 1) == line.npos);
  }

  bool labels(std::string_view& line) const {
    do {
      line.remove_prefix(1); // { or ,
      const std::size_t length = name_length(line);
      if (length == 0 || line.substr(length, 2) != "=\"") return false;
      line.remove_prefix(length + 2);
      for (; !line.starts_with('"'); line.remove_prefix(1)) {
        if (line.empty()) return false;
        if (line.front() != '\\') continue;
        line.remove_prefix(1);
        if (line.empty() || std::strchr("\\\"n", line.front()) == nullptr) return false;
      }
      line.remove_prefix(1);
    } while (line.starts_with(','));
    if (!line.starts_with('}')) return false;
    line.remove_prefix(1);
    return true;
  }

  std::string_view rest_;
  bool is_open_;
  bool has_ended_ = false;
  std::string_view family_;
  std::size_t samples_ = 0;
};

/// A stack whose layers, tags and labels bear names of the input's making, in use as the input says.
struct stack {
  using arena_type = allot::bump_resource<>;
  using counted_type = allot::counting_adaptor<arena_type>;
  using tagged_type = allot::tag_adaptor<counted_type, allot::max_tags_t<3>>;
  using capped_type = allot::limit_adaptor<tagged_type>;

  explicit stack(input& in) : capped{tagged, limits_from(in), texts[3].c_str()} {
    while (!in.is_empty() && in.below(8) != 0) {
      const allot::tag_scope here{allot::tag_name::of_static(texts[in.below(texts.size())].c_str())};
      const std::size_t bytes = in.byte();
      void* const p = router.try_allocate(bytes, 8);
      if (p != nullptr && in.flag()) router.deallocate(p, bytes, 8);
    }
  }

  static allot::budget limits_from(input& in) {
    allot::budget limits{.bytes = in.size()};
    if (in.flag()) limits.blocks = in.below(20);
    return limits;
  }

  static std::array<std::string, 6>& texts_from(input& in) {
    for (std::string& text : texts)
      text = in.text(24);
    return texts;
  }

  static inline std::array<std::string, 6> texts; // outlive every stack, as the layers ask
  alignas(16) std::array<std::byte, 2048> memory{};
  alignas(16) std::array<std::byte, 512> more{};
  arena_type arena{memory, texts[0].c_str()};
  counted_type counted{arena, texts[1].c_str()};
  tagged_type tagged{counted, allot::max_tags<3>, texts[2].c_str()};
  capped_type capped;
  arena_type large{more};
  allot::size_router<capped_type, arena_type> router{texts[4].c_str(), allot::up_to(100, capped),
                                                     allot::otherwise(large)};
};

template <class Write>
std::string whole(Write write) {
  const report::result needed = write(std::span<char>{});
  FUZZ_REQUIRE(needed.written == 0);
  std::vector<char> buffer(needed.needed); // to the byte: AddressSanitizer sees the one behind
  FUZZ_REQUIRE((write(std::span{buffer}) == report::result{buffer.size(), buffer.size()}));
  return {buffer.data(), buffer.size()};
}

/// In a buffer of any size the output is the whole lines that fit.
template <class Write>
void check_in(std::size_t size, const std::string& all, Write write) {
  std::vector<char> buffer(size);
  const report::result done = write(std::span{buffer});
  const std::size_t fits = size >= all.size() ? all.size() : size == 0 ? 0 : all.rfind('\n', size - 1) + 1;
  FUZZ_REQUIRE(done.needed == all.size() && done.written == fits);
  FUZZ_REQUIRE(std::string_view(buffer.data(), fits) == std::string_view(all).substr(0, fits));
}

/// The whole output. It is also written into buffers of a few sizes of the input's choice, and such as end beside a line.
template <class Write>
std::string checked(input& in, Write write) {
  std::string all = whole(write);
  FUZZ_REQUIRE(is_utf8(all) && (all.empty() || all.back() == '\n'));
  const std::size_t chosen = all.size() * in.byte() / 255;
  check_in(chosen, all, write);
  const std::size_t end = all.rfind('\n', chosen);
  if (end == all.npos) return all;
  check_in(end, all, write);
  check_in(end + 1, all, write);
  return all;
}

/// A family of the caller's own with any help text, label and value.
std::string own_family(input& in, report::metrics_format format, double value) {
  const auto write = [&](std::span<char> out) {
    report::exposition page{out, format};
    page.family({.name = "own_seconds", .unit = "seconds", .help = stack::texts[5]});
    page.sample({{"a", stack::texts[0]}, {"b", stack::texts[1]}}, value);
    page.sample({}, -1);
    return page.finish();
  };
  return checked(in, write);
}

double real_from(input& in) {
  const std::uint64_t bits = in.word();
  double value = 0;
  static_assert(sizeof value == sizeof bits);
  std::memcpy(&value, &bits, sizeof value);
  return value;
}

void check_metrics(input& in, std::span<const report::source> sources, report::metrics_format format,
                   std::size_t& samples) {
  const std::string page = checked(in, [&](std::span<char> out) { return report::metrics(sources, out, format); });
  exposition_reader reader{page, format};
  FUZZ_REQUIRE(reader.read_all());
  samples = reader.samples();

  const double value = real_from(in);
  const std::string own = own_family(in, format, value);
  exposition_reader own_reader{own, format};
  FUZZ_REQUIRE(own_reader.read_all() && own_reader.samples() == 2);
  const std::size_t end = own.find("\nown_seconds -1\n");
  FUZZ_REQUIRE(end != own.npos);
  const std::string read_back = own.substr(own.rfind(' ', end) + 1, end - own.rfind(' ', end) - 1);
  const double seen = std::strtod(read_back.c_str(), nullptr);
  FUZZ_REQUIRE(seen == value || (seen != seen && value != value));
}

void run(input& in) {
  stack::texts_from(in);
  const stack layers{in};
  const allot::limit_snapshot snapshot{.used_bytes = in.size(),
                                       .limit_bytes = in.size(),
                                       .peak_bytes = in.size(),
                                       .used_blocks = in.size(),
                                       .limit_blocks = in.size(),
                                       .peak_blocks = in.size(),
                                       .refusals = in.size()};
  const std::string& label = stack::texts[5];
  const report::source sources[] = {{layers.router, {{"kind", "stack"}, {"tenant", label}}},
                                    {snapshot, {{"kind", "snapshot"}, {"tenant", label}, {"zone", stack::texts[0]}}}};

  const std::string text = checked(in, [&](std::span<char> out) { return report::text(sources, out); });
  FUZZ_REQUIRE(std::all_of(text.begin(), text.end(),
                           [](char c) { return c == '\n' || (static_cast<unsigned char>(c) >= 0x20 && c != 0x7F); }));

  const std::string one = checked(in, [&](std::span<char> out) { return report::json(layers.router, out); });
  FUZZ_REQUIRE(json_reader{one}.read_all());
  FUZZ_REQUIRE(one.find("\"used_bytes\": " + std::to_string(layers.capped.used())) != one.npos);
  const std::string all = checked(in, [&](std::span<char> out) { return report::json(sources, out); });
  FUZZ_REQUIRE(json_reader{all}.read_all());

  std::size_t open = 0;
  std::size_t plain = 0;
  check_metrics(in, sources, report::metrics_format::open_metrics, open);
  check_metrics(in, sources, report::metrics_format::prometheus, plain);
  FUZZ_REQUIRE(open == plain && open > 0);
}

} // namespace

FUZZ_TARGET(run)
