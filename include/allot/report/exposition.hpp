#pragma once

#include <allot/core/config.hpp>
#include <allot/report/line_writer.hpp>
#include <allot/report/result.hpp>
#include <allot/report/source.hpp>

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>
#include <type_traits>

namespace allot::inline ALLOT_ABI::report {

/// The formats that Prometheus and those who read as it does understand.
enum class metrics_format : unsigned char {
  open_metrics, ///< OpenMetrics 1.0: units, and a last line that says that nothing is missing
  prometheus,   ///< Prometheus' text format 0.0.4
};

/// The value of the HTTP header Content-Type.
[[nodiscard]] constexpr const char* content_type(metrics_format format) noexcept {
  return format == metrics_format::open_metrics ? "application/openmetrics-text; version=1.0.0; charset=utf-8"
                                                : "text/plain; version=0.0.4; charset=utf-8";
}

/// What the samples of a family are.
enum class metric_type : unsigned char {
  gauge,   ///< may go up and down
  counter, ///< only rises, from zero
  info,    ///< always 1: the labels are what it says
};

/// A metric of which there may be many samples, each with labels of its own.
struct metric_family {
  std::string_view name; ///< a letter, then letters, digits, underscores; ends with "_" and the unit, not with a type's
                         ///< suffix (`_total`, `_info`)
  metric_type type = metric_type::gauge; ///< what its samples are
  std::string_view unit{};               ///< "bytes", "seconds"; empty for none
  std::string_view help{};               ///< one sentence, any text
};

/// Writes metrics, allot's and your own, for a monitoring system to fetch:
///
///     exposition page{buffer, metrics_format::open_metrics};
///     page.family({.name = "http_requests", .type = metric_type::counter, .help = "Requests served."});
///     page.sample({{"code", "200"}}, served);
///     page.layers(sources);            // allot's families
///     const result done = page.finish();
///
/// Guarantees
/// - The lines of the format, in its order: TYPE, UNIT and HELP before a family's first sample, `# EOF` last. What the
///   formats do differently (`_total` in a counter's TYPE line, UNIT, escapes, `# EOF`) is done as the format has it.
/// - A family of which no sample is written leaves no line.
/// - Whole lines only: see `result`. A truncated exposition is not valid and must not be served. Nothing allocates.
/// - Any label value is valid UTF-8 in the output, escaped where it must be: see `put_escaped`.
///
/// What the caller has to see to: a family is begun once, and no two samples of a family have the same labels.
///
/// Costs: the characters; `layers` walks each source once for each family.
/// Threads: one thread at a time; reads each layer as its class allows it.
///
/// \snippet tests/report/exposition_test.cpp example
class exposition {
public:
  /// \param out  outlives the exposition
  exposition(std::span<char> out, metrics_format format) noexcept : out_{out}, format_{format} {}

  /// Begins a family: the samples that follow are of it. Its texts stay valid until the next one begins.
  /// \pre name and unit are as `metric_family` says
  void family(const metric_family& next) noexcept;

  /// Writes a sample. Labels with an empty value are left out. Integers are exact, other numbers as short as reads back the
  /// same `double`.
  /// \pre a family was begun; the names of the labels are valid, none twice
  /// \pre a counter's value is not NaN and not below zero; that of an info is 1
  template <class Number>
  requires std::is_arithmetic_v<Number>
  void sample(const label_set& labels, Number value) noexcept {
    if constexpr (std::is_floating_point_v<Number>) {
      put_real(labels, static_cast<double>(value));
    } else if (value < Number{}) {
      put_integer(labels, "-", std::uint64_t{0} - static_cast<std::uint64_t>(value));
    } else {
      put_integer(labels, "", static_cast<std::uint64_t>(value));
    }
  }

  /// A sample without labels.
  template <class Number>
  requires std::is_arithmetic_v<Number>
  void sample(Number value) noexcept { sample({}, value); }

  /// Writes allot's families (docs/metrics.md) with the figures of all `sources`: once in an exposition.
  /// \pre the labels of no two sources are the same, and none is called "level", "branch", "layer", "name" or "tag"
  void layers(std::span<const source> sources) noexcept;

  /// Ends the exposition. Nothing is written after it.
  result finish() noexcept;

private:
  class samples;

  void begin_family(std::string_view prefix, const metric_family& next) noexcept;
  void put_metadata() noexcept;

  void put_integer(const label_set& labels, std::string_view sign, std::uint64_t value) noexcept;
  void put_real(const label_set& labels, double value) noexcept;

  // Writing a sample: begin, its labels, end.
  void begin_sample(const label_set& labels) noexcept;
  line_writer& begin_label(std::string_view name) noexcept;
  void put_label(std::string_view name, std::string_view value) noexcept;
  line_writer& end_labels() noexcept;

  line_writer out_;
  metrics_format format_;
  metric_family family_;
  std::string_view prefix_; // of the family's name
  bool is_written_ = false; // the lines of the family
  bool has_labels_ = false; // of the sample that is being written
};

/// allot's families of all `sources`, as a whole exposition: `exposition::layers`, and nothing else.
result metrics(std::span<const source> sources, std::span<char> out, metrics_format format) noexcept;

/// The same in OpenMetrics 1.0.
inline result open_metrics(std::span<const source> sources, std::span<char> out) noexcept {
  return metrics(sources, out, metrics_format::open_metrics);
}

/// The same for one.
inline result open_metrics(const source& one, std::span<char> out) noexcept { return open_metrics({&one, 1}, out); }

/// The same for a resource, a chain, a snapshot or a tag table.
template <reportable T>
result open_metrics(const T& what, std::span<char> out) noexcept {
  return open_metrics(source{what}, out);
}

/// The same in Prometheus' text format 0.0.4.
inline result prometheus(std::span<const source> sources, std::span<char> out) noexcept {
  return metrics(sources, out, metrics_format::prometheus);
}

/// The same for one.
inline result prometheus(const source& one, std::span<char> out) noexcept { return prometheus({&one, 1}, out); }

/// The same for a resource, a chain, a snapshot or a tag table.
template <reportable T>
result prometheus(const T& what, std::span<char> out) noexcept {
  return prometheus(source{what}, out);
}

} // namespace allot::inline ALLOT_ABI::report
