#include <allot/report/escape.hpp>
#include <allot/report/line_writer.hpp>
#include <allot/report/text.hpp>

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace allot::inline ALLOT_ABI::report {
namespace {

// Columns in which right-aligned texts end. What is deeper or longer moves the rest of its line.
constexpr std::size_t exact_end = 36;
constexpr std::size_t readable_end = 54;

constexpr std::string_view bytes_word = " bytes";

/// A few characters that never allocate.
class short_text {
public:
  void prepend(char c) noexcept { text_[--begin_] = c; }
  [[nodiscard]] std::string_view view() const noexcept { return {text_.data() + begin_, text_.size() - begin_}; }

private:
  std::array<char, 32> text_;
  std::size_t begin_ = 32;
};

/// 1234567 as "1,234,567".
short_text grouped(std::uint64_t n) noexcept {
  short_text text;
  unsigned digits = 0;
  do {
    if (digits != 0 && digits % 3 == 0) text.prepend(',');
    text.prepend(static_cast<char>('0' + n % 10));
    n /= 10;
    ++digits;
  } while (n != 0);
  return text;
}

struct readable_size {
  std::uint64_t tenths; // of the unit
  const char* unit;
};

/// The largest unit that `bytes` has at least one of, rounded to the nearest tenth.
readable_size readable(std::uint64_t bytes) noexcept {
  static constexpr std::array<const char*, 6> units{"KiB", "MiB", "GiB", "TiB", "PiB", "EiB"};
  const auto tenths_of = [bytes](unsigned shift) {
    const std::uint64_t rest = bytes & ((std::uint64_t{1} << shift) - 1);
    return (bytes >> shift) * 10 + ((rest * 10 + (std::uint64_t{1} << (shift - 1))) >> shift);
  };
  std::size_t unit = 0;
  std::uint64_t tenths = tenths_of(10);
  while (tenths >= 10240 && unit + 1 < units.size()) {
    ++unit;
    tenths = tenths_of(static_cast<unsigned>(10 * (unit + 1)));
  }
  return {tenths, units[unit]};
}

void put_right(line_writer& out, std::string_view text, std::size_t end) noexcept {
  const std::size_t taken = out.column() + text.size();
  out.fill(taken < end ? end - taken : 1).put(text);
}

/// "1.5 MiB", or nothing for what is less than one KiB.
void put_readable(line_writer& out, std::size_t bytes, std::size_t end) noexcept {
  if (bytes < 1024) return;
  const readable_size size = readable(bytes);
  short_text text;
  for (std::size_t i = 3; i > 0; --i)
    text.prepend(size.unit[i - 1]);
  text.prepend(' ');
  text.prepend(static_cast<char>('0' + size.tenths % 10));
  text.prepend('.');
  for (std::uint64_t whole = size.tenths / 10, first = 1; whole != 0 || first != 0; whole /= 10, first = 0)
    text.prepend(static_cast<char>('0' + whole % 10));
  put_right(out, text.view(), end);
}

/// A column of the table of tags.
struct tag_column {
  figure which;
  std::string_view title;
  std::size_t end;
  std::size_t readable_end; // 0 for what is no size
};

constexpr std::array<tag_column, 6> tag_columns{{
    {figure::used_bytes, "used", 40, 51},
    {figure::peak_bytes, "peak", 66, 77},
    {figure::used_blocks, "blocks", 86, 0},
    {figure::allocations, "allocations", 99, 0},
    {figure::deallocations, "deallocations", 114, 0},
    {figure::failures, "failures", 124, 0},
}};

class text_layers final : public layer_visitor {
public:
  explicit text_layers(line_writer& out) noexcept : out_{out} {}

  void enter(const layer_record& layer) noexcept override {
    if (layer.class_name != nullptr) put_headline(layer);
    for (const figure_words& words : all_figures()) {
      if (layer.values.has(words.which)) put_figure(layer, words);
    }
    if (layer.tags > 0) put_titles(indent_of(layer));
  }

  void tag(const layer_record& layer, const tag_record& row) noexcept override {
    out_.fill(indent_of(layer));
    put_quoted(out_, row.tag);
    for (const tag_column& column : tag_columns) {
      if (!row.values.has(column.which)) continue;
      const std::size_t value = row.values[column.which];
      put_right(out_, grouped(value).view(), column.end);
      if (column.readable_end != 0) put_readable(out_, value, column.readable_end);
    }
    out_.end_line();
  }

  void leave(const layer_record&) noexcept override {}

private:
  /// Of the lines below a headline.
  static std::size_t indent_of(const layer_record& layer) noexcept {
    return layer.class_name == nullptr ? 0 : 2 * layer.depth + 4;
  }

  void put_headline(const layer_record& layer) noexcept {
    out_.fill(2 * layer.depth);
    if (layer.starts_branch) put_branch(*layer.branch);
    out_.put(layer.class_name);
    if (layer.name != nullptr) put_quoted(out_.put(" "), layer.name);
    if (layer.is_opaque) out_.put(" (of unknown type)");
    out_.end_line();
  }

  void put_branch(const branch_path& branch) noexcept {
    if (*branch.role != '\0') {
      out_.put(branch.role);
    } else if (branch.up_to_bytes != no_limit) {
      out_.put("up to ").put(grouped(branch.up_to_bytes).view()).put(bytes_word);
    } else {
      out_.put("branch ").number(branch.index);
    }
    out_.put(": ");
  }

  void put_figure(const layer_record& layer, const figure_words& words) noexcept {
    const std::size_t value = layer.values[words.which];
    out_.fill(indent_of(layer)).put(words.text);
    if (layer.values.is_unlimited(words.which)) {
      put_right(out_, "unlimited", exact_end);
    } else {
      put_right(out_, grouped(value).view(), exact_end);
      if (words.is_size()) {
        out_.put(value == 1 ? " byte" : bytes_word);
        put_readable(out_, value, readable_end);
      }
    }
    out_.end_line();
  }

  void put_titles(std::size_t indent) noexcept {
    out_.fill(indent).put("tag");
    for (const tag_column& column : tag_columns)
      put_right(out_, column.title, column.end);
    out_.end_line();
  }

  line_writer& out_;
};

void put_labels(line_writer& out, const label_set& labels) noexcept {
  if (labels.empty()) return;
  const char* comma = "";
  for (const label& one : labels) {
    put_quoted(out.put(comma).put(one.name).put("="), one.value);
    comma = ", ";
  }
  out.put(":").end_line();
}

} // namespace

result text(std::span<const source> sources, std::span<char> out) noexcept {
  line_writer lines{out};
  text_layers layers{lines};
  bool is_first = true;
  for (const source& one : sources) {
    if (!is_first) lines.end_line();
    put_labels(lines, one.labels());
    one.show_to(layers);
    is_first = false;
  }
  return lines.written();
}

} // namespace allot::inline ALLOT_ABI::report
