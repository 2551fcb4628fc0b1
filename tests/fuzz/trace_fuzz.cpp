// Lines of traces: any event in any buffer, read back from the text; a trace_ring against the list of all that came; a
// trace_writer and a dump, read back from a pipe.

#include <allot/adaptor/trace_event.hpp>
#include <allot/adaptor/trace_format.hpp>
#include <allot/adaptor/trace_ring.hpp>
#include <allot/adaptor/trace_writer.hpp>

#include "require.hpp"
#include "target.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <fcntl.h>
#include <unistd.h>

namespace {

using allot::trace_event;
using allot::trace_format;
using fuzz::input;

trace_event event_from(input& in) {
  trace_event e{.time = in.size(),
                .thread = in.size(),
                .pointer = nullptr,
                .bytes = in.size(),
                .alignment = in.alignment(),
                .operation = in.flag() ? allot::trace_operation::allocate : allot::trace_operation::deallocate,
                .outcome = in.below(4) == 0 ? allot::trace_outcome::failed : allot::trace_outcome::ok};
  if (e.outcome == allot::trace_outcome::ok) e.pointer = reinterpret_cast<const void*>(in.size());
  return e;
}

/// Takes a line apart; nothing where it is none.
class reader {
public:
  explicit reader(std::string_view line) : rest_{line} {}

  reader& word(std::string_view expected) {
    is_right_ = is_right_ && rest_.starts_with(expected);
    if (is_right_) rest_.remove_prefix(expected.size());
    return *this;
  }
  std::size_t number(int base = 10) {
    std::size_t n = 0;
    const auto [end, error] = std::from_chars(rest_.data(), rest_.data() + rest_.size(), n, base);
    is_right_ = is_right_ && error == std::errc{};
    if (is_right_) rest_.remove_prefix(static_cast<std::size_t>(end - rest_.data()));
    return n;
  }
  /// One of two words. \return whether it was the first
  bool either(std::string_view first, std::string_view second) {
    const bool is_first = rest_.starts_with(first);
    word(is_first ? first : second);
    return is_first;
  }
  [[nodiscard]] bool is_whole() const { return is_right_ && rest_.empty(); }

private:
  std::string_view rest_;
  bool is_right_ = true;
};

allot::trace_operation operation_in(reader& line) {
  return line.either("allocate", "deallocate") ? allot::trace_operation::allocate : allot::trace_operation::deallocate;
}

std::optional<trace_event> parse_text(std::string_view text) {
  reader line{text};
  trace_event e;
  e.time = line.number();
  e.thread = line.word(" thread ").number();
  line.word(" ");
  e.operation = operation_in(line);
  e.bytes = line.word(" ").number();
  e.alignment = line.word(" bytes aligned to ").number();
  if (line.either(" at 0x", " failed")) {
    e.pointer = reinterpret_cast<const void*>(line.number(16));
  } else {
    e.outcome = allot::trace_outcome::failed;
  }
  return line.word("\n").is_whole() ? std::optional{e} : std::nullopt;
}

std::optional<trace_event> parse_csv(std::string_view text) {
  reader line{text};
  trace_event e;
  e.time = line.number();
  e.thread = line.word(",").number();
  line.word(",");
  e.operation = operation_in(line);
  e.pointer = reinterpret_cast<const void*>(line.word(",0x").number(16));
  e.bytes = line.word(",").number();
  e.alignment = line.word(",").number();
  e.outcome = line.word(",").either("ok", "failed") ? allot::trace_outcome::ok : allot::trace_outcome::failed;
  return line.word("\n").is_whole() ? std::optional{e} : std::nullopt;
}

/// In a buffer that is large enough the line says what happened; in a smaller one it is cut, and nothing is behind it.
void check_line(const trace_event& e, trace_format format, std::size_t room) {
  std::array<char, allot::longest_trace_line> whole{};
  const std::size_t length = allot::format_trace(e, format, whole);
  FUZZ_REQUIRE(length <= whole.size());
  const std::string_view line{whole.data(), length};
  FUZZ_REQUIRE((format == trace_format::text ? parse_text(line) : parse_csv(line)) == std::optional{e});

  std::vector<char> cut(room, '~'); // to the byte: AddressSanitizer sees the one behind
  const std::size_t written = allot::format_trace(e, format, cut);
  FUZZ_REQUIRE(written == std::min(room, length) && line.starts_with(std::string_view{cut.data(), written}));
}

std::string drained(int fd) {
  std::string all;
  std::array<char, 4096> part{};
  for (;;) {
    const ssize_t n = ::read(fd, part.data(), part.size());
    if (n <= 0) return all;
    all.append(part.data(), static_cast<std::size_t>(n));
  }
}

std::vector<std::string_view> lines_of(std::string_view text) {
  std::vector<std::string_view> lines;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find('\n'), text.size() - 1);
    lines.push_back(text.substr(0, end + 1));
    text.remove_prefix(end + 1);
  }
  return lines;
}

/// A pipe that never waits; small enough to be filled.
class pipe_pair {
public:
  pipe_pair() {
    FUZZ_REQUIRE(::pipe(ends_) == 0);
    for (const int end : ends_)
      ::fcntl(end, F_SETFL, O_NONBLOCK);
  }
  pipe_pair(const pipe_pair&) = delete;
  pipe_pair& operator=(const pipe_pair&) = delete;
  ~pipe_pair() {
    ::close(ends_[0]);
    ::close(ends_[1]);
  }
  [[nodiscard]] int reader() const { return ends_[0]; }
  [[nodiscard]] int writer() const { return ends_[1]; }

private:
  int ends_[2]{};
};

template <std::size_t N>
void check_ring(const std::vector<trace_event>& all) {
  allot::trace_ring<N> ring;
  for (const trace_event& e : all)
    ring.record(e);
  const std::size_t kept = std::min(all.size(), N);
  const std::vector<trace_event> expected(all.end() - static_cast<std::ptrdiff_t>(kept), all.end());
  std::vector<trace_event> seen;
  ring.for_each([&](const trace_event& e) { seen.push_back(e); });
  FUZZ_REQUIRE(seen == expected);
  FUZZ_REQUIRE(ring.came() == all.size() && ring.dropped() == 0 && ring.overwritten() == all.size() - kept);

  const pipe_pair pipe;
  FUZZ_REQUIRE(ring.dump(pipe.writer()) == kept);
  const std::string text = drained(pipe.reader());
  const auto lines = lines_of(text);
  FUZZ_REQUIRE(lines.size() == kept + 1);
  FUZZ_REQUIRE(lines.front() == "allot: the last " + std::to_string(kept) + " of " + std::to_string(all.size()) +
                                    " events, 0 dropped\n");
  for (std::size_t i = 0; i < kept; ++i)
    FUZZ_REQUIRE(parse_text(lines[i + 1]) == std::optional{expected[i]});
}

void check_writer(const std::vector<trace_event>& all, trace_format format) {
  const pipe_pair pipe;
  allot::trace_writer writer{pipe.writer(), format};
  const bool has_header = format == trace_format::csv;
  errno = 7;
  for (const trace_event& e : all)
    writer.record(e);
  FUZZ_REQUIRE(errno == 7);
  FUZZ_REQUIRE(writer.written() + writer.dropped() == all.size() + (has_header ? 1 : 0));
  const std::string text = drained(pipe.reader());
  auto lines = lines_of(text);
  FUZZ_REQUIRE(writer.dropped() != 0 || lines.size() == writer.written());
  if (writer.dropped() != 0) return;
  if (has_header) {
    FUZZ_REQUIRE(lines.front() == allot::trace_csv_header);
    lines.erase(lines.begin());
  }
  for (std::size_t i = 0; i < all.size(); ++i)
    FUZZ_REQUIRE((has_header ? parse_csv(lines[i]) : parse_text(lines[i])) == std::optional{all[i]});
}

void run(input& in) {
  const std::size_t mode = in.below(8);
  std::vector<trace_event> all;
  while (!in.is_empty() && all.size() < 300)
    all.push_back(event_from(in));
  for (std::size_t i = 0; i < all.size(); ++i) {
    check_line(all[i], trace_format::text, (i * 37 + mode) % allot::longest_trace_line);
    check_line(all[i], trace_format::csv, (i * 41 + mode) % allot::longest_trace_line);
  }
  switch (mode) {
  case 0: return check_ring<1>(all);
  case 1: return check_ring<2>(all);
  case 2: return check_ring<16>(all);
  case 3: return check_writer(all, trace_format::text);
  case 4: return check_writer(all, trace_format::csv);
  default: return;
  }
}

} // namespace

FUZZ_TARGET(run)
