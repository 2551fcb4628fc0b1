#include <allot/core/expects.hpp>
#include <allot/report/escape.hpp>
#include <allot/report/exposition.hpp>

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <iterator>

namespace allot::inline ALLOT_ABI::report {
namespace {

[[maybe_unused]] bool is_letter(char c) noexcept { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }
[[maybe_unused]] bool is_digit(char c) noexcept { return c >= '0' && c <= '9'; }

/// Of a metric or a label. OpenMetrics keeps for itself what begins with an underscore, and colons.
[[maybe_unused]] bool is_name(std::string_view name) noexcept {
  return !name.empty() && is_letter(name.front()) &&
         std::all_of(name.begin(), name.end(), [](char c) { return is_letter(c) || is_digit(c) || c == '_'; });
}

[[maybe_unused]] bool is_family(const metric_family& family) noexcept {
  const bool has_unit =
      family.unit.empty() || (family.name.size() > family.unit.size() && family.name.ends_with(family.unit) &&
                              family.name[family.name.size() - family.unit.size() - 1] == '_');
  const bool may_have_unit = family.type != metric_type::info || family.unit.empty();
  return is_name(family.name) && has_unit && may_have_unit && !family.name.ends_with("_total") &&
         !family.name.ends_with("_info");
}

[[maybe_unused]] bool are_labels(const label_set& labels) noexcept {
  for (const label* one = labels.begin(); one != labels.end(); ++one) {
    const auto is_same = [one](const label& other) { return other.name == one->name; };
    if (!is_name(one->name)) return false;
    if (std::any_of(one + 1, labels.end(), is_same)) return false;
  }
  return true;
}

[[maybe_unused]] bool are_labels_of_a_source(const label_set& labels) noexcept {
  return are_labels(labels) && std::none_of(labels.begin(), labels.end(), [](const label& one) {
           return one.name == "level" || one.name == "branch" || one.name == "layer" || one.name == "name" ||
                  one.name == "tag";
         });
}

/// True where both say the same of every name, in whatever order: an empty value is none.
[[maybe_unused]] bool are_same(const label_set& a, const label_set& b) noexcept {
  const auto has = [](const label_set& in, const label& one) {
    return one.value.empty() || std::any_of(in.begin(), in.end(), [&one](const label& other) {
             return other.name == one.name && other.value == one.value;
           });
  };
  return std::all_of(a.begin(), a.end(), [&](const label& one) { return has(b, one); }) &&
         std::all_of(b.begin(), b.end(), [&](const label& one) { return has(a, one); });
}

[[maybe_unused]] bool can_be_told_apart(std::span<const source> sources) noexcept {
  for (auto one = sources.begin(); one != sources.end(); ++one) {
    const auto is_same = [one](const source& other) { return are_same(one->labels(), other.labels()); };
    if (!are_labels_of_a_source(one->labels()) || std::any_of(std::next(one), sources.end(), is_same)) return false;
  }
  return true;
}

const char* type_name(metric_type type, metrics_format format) noexcept {
  switch (type) {
  case metric_type::gauge: return "gauge";
  case metric_type::counter: return "counter";
  case metric_type::info: return format == metrics_format::open_metrics ? "info" : "gauge";
  }
  return "unknown";
}

const char* suffix_of(metric_type type) noexcept {
  return type == metric_type::counter ? "_total" : type == metric_type::info ? "_info" : "";
}

void put_path(line_writer& out, const branch_path& path) noexcept {
  if (path.outer != nullptr) {
    put_path(out, *path.outer);
    out.put(".");
  }
  out.number(path.index);
}

line_writer& put_number(line_writer& out, double value) noexcept {
  if (std::isnan(value)) return out.put("NaN");
  if (std::isinf(value)) return out.put(value < 0 ? "-Inf" : "+Inf");
  std::array<char, 32> digits; // the shortest form takes 24 at most
  const auto end = std::to_chars(digits.data(), digits.data() + digits.size(), value).ptr;
  const std::string_view text{digits.data(), static_cast<std::size_t>(end - digits.data())};
  out.put(text);
  return text.find_first_of(".e") == std::string_view::npos ? out.put(".0") : out; // else it were an integer
}

metric_family family_of(const figure_words& words) noexcept {
  return {.name = words.key,
          .type = words.only_rises ? metric_type::counter : metric_type::gauge,
          .unit = words.unit,
          .help = words.help};
}

} // namespace

/// Writes one family's samples of the layers that it is shown, or of their tags.
class exposition::samples final : public layer_visitor {
public:
  enum class of : unsigned char { identity, layers, tags };

  samples(exposition& out, of what, figure which) noexcept : out_{out}, what_{what}, which_{which} {}

  void show(std::span<const source> sources) noexcept {
    for (const source& one : sources) {
      labels_ = &one.labels();
      one.show_to(*this);
    }
  }

  void enter(const layer_record& layer) noexcept override {
    if (what_ == of::identity && layer.class_name != nullptr) {
      begin(layer);
      end(1);
    } else if (what_ == of::layers && layer.values.has(which_)) {
      begin(layer);
      end(layer.values);
    }
  }

  void tag(const layer_record& layer, const tag_record& row) noexcept override {
    if (what_ != of::tags || !row.values.has(which_)) return;
    begin(layer);
    out_.put_label("tag", row.tag);
    end(row.values);
  }

  void leave(const layer_record&) noexcept override {}

private:
  void begin(const layer_record& layer) noexcept {
    out_.begin_sample(*labels_);
    if (layer.class_name == nullptr) return;
    out_.begin_label("level").number(layer.depth).put("\"");
    if (layer.branch != nullptr) {
      put_path(out_.begin_label("branch"), *layer.branch);
      out_.out_.put("\"");
    }
    out_.put_label("layer", layer.class_name);
    if (layer.name != nullptr) out_.put_label("name", layer.name);
  }

  void end(const figures& values) noexcept {
    if (values.is_unlimited(which_)) {
      out_.end_labels().put("+Inf").end_line();
    } else {
      end(values[which_]);
    }
  }

  void end(std::size_t value) noexcept { out_.end_labels().number(value).end_line(); }

  exposition& out_;
  of what_;
  figure which_;
  const label_set* labels_ = nullptr;
};

void exposition::family(const metric_family& next) noexcept {
  ALLOT_EXPECTS(is_family(next));
  begin_family("", next);
}

void exposition::put_integer(const label_set& labels, std::string_view sign, std::uint64_t value) noexcept {
  ALLOT_EXPECTS(!family_.name.empty() && are_labels(labels));
  ALLOT_EXPECTS(family_.type == metric_type::gauge || sign.empty());
  ALLOT_EXPECTS(family_.type != metric_type::info || value == 1);
  begin_sample(labels);
  end_labels().put(sign).number(value).end_line();
}

void exposition::put_real(const label_set& labels, double value) noexcept {
  ALLOT_EXPECTS(!family_.name.empty() && are_labels(labels));
  ALLOT_EXPECTS(family_.type == metric_type::gauge || value >= 0);
  ALLOT_EXPECTS(family_.type != metric_type::info || value == 1);
  begin_sample(labels);
  put_number(end_labels(), value).end_line();
}

void exposition::layers(std::span<const source> sources) noexcept {
  ALLOT_EXPECTS(can_be_told_apart(sources));
  begin_family("allot_", {.name = "layer", .type = metric_type::info, .help = "A layer of a stack of resources."});
  samples{*this, samples::of::identity, figure{}}.show(sources);
  for (const figure_words& words : all_figures()) {
    begin_family("allot_", family_of(words));
    samples{*this, samples::of::layers, words.which}.show(sources);
  }
  for (const figure_words& words : all_figures()) {
    begin_family("allot_tag_", family_of(words));
    samples{*this, samples::of::tags, words.which}.show(sources);
  }
  family_ = {};
}

result exposition::finish() noexcept {
  if (format_ == metrics_format::open_metrics) out_.put("# EOF").end_line();
  return out_.written();
}

void exposition::begin_family(std::string_view prefix, const metric_family& next) noexcept {
  prefix_ = prefix;
  family_ = next;
  is_written_ = false;
}

/// The lines before the samples, once there is a sample.
void exposition::put_metadata() noexcept {
  const bool is_open = format_ == metrics_format::open_metrics;
  const char* const suffix = is_open ? "" : suffix_of(family_.type); // 0.0.4 knows no family beside its samples' name
  const auto begin = [&](std::string_view keyword) -> line_writer& {
    return out_.put(keyword).put(prefix_).put(family_.name).put(suffix).put(" ");
  };
  begin("# TYPE ").put(type_name(family_.type, format_)).end_line();
  if (is_open && !family_.unit.empty()) begin("# UNIT ").put(family_.unit).end_line();
  if (!family_.help.empty()) {
    begin("# HELP ");
    (is_open ? put_escaped : put_help)(out_, family_.help);
    out_.end_line();
  }
  is_written_ = true;
}

void exposition::begin_sample(const label_set& labels) noexcept {
  if (!is_written_) put_metadata();
  out_.put(prefix_).put(family_.name).put(suffix_of(family_.type));
  has_labels_ = false;
  for (const label& one : labels)
    put_label(one.name, one.value);
}

line_writer& exposition::begin_label(std::string_view name) noexcept {
  out_.put(has_labels_ ? "," : "{").put(name).put("=\"");
  has_labels_ = true;
  return out_;
}

void exposition::put_label(std::string_view name, std::string_view value) noexcept {
  if (value.empty()) return;
  put_escaped(begin_label(name), value).put("\"");
}

line_writer& exposition::end_labels() noexcept { return out_.put(has_labels_ ? "} " : " "); }

result metrics(std::span<const source> sources, std::span<char> out, metrics_format format) noexcept {
  exposition page{out, format};
  page.layers(sources);
  return page.finish();
}

} // namespace allot::inline ALLOT_ABI::report
