#include <allot/report/escape.hpp>

#include <cstddef>
#include <cstdint>

namespace allot::inline ALLOT_ABI::report {
namespace {

constexpr std::uint32_t replacement = 0xFFFD;

/// One character of a string: its code point, and the bytes that it takes there.
struct character {
  std::uint32_t code;
  std::size_t bytes;
  bool is_valid;
};

/// The range that the second byte of a sequence must lie in: tighter than a continuation byte's where the sequence would
/// else be overlong, a surrogate, or above U+10FFFF (the Unicode Standard, table 3-7).
struct byte_range {
  unsigned char low;
  unsigned char high;
};

byte_range second_byte_of(unsigned char lead) noexcept {
  switch (lead) {
  case 0xE0: return {0xA0, 0xBF};
  case 0xED: return {0x80, 0x9F};
  case 0xF0: return {0x90, 0xBF};
  case 0xF4: return {0x80, 0x8F};
  default: return {0x80, 0xBF};
  }
}

std::size_t length_by(unsigned char lead) noexcept {
  if (lead < 0x80) return 1;
  if (lead < 0xC2 || lead > 0xF4) return 0; // a continuation byte, or the lead of no sequence
  return lead < 0xE0 ? 2 : lead < 0xF0 ? 3 : 4;
}

/// The first character. \pre `text` is not empty
character first_of(std::string_view text) noexcept {
  const auto byte = [text](std::size_t i) { return static_cast<unsigned char>(text[i]); };
  const std::size_t length = length_by(byte(0));
  if (length == 1) return {byte(0), 1, true};
  if (length == 0) return {replacement, 1, false};

  std::uint32_t code = byte(0) & (0x7Fu >> length);
  byte_range range = second_byte_of(byte(0));
  for (std::size_t i = 1; i < length; ++i) {
    if (i == text.size() || byte(i) < range.low || byte(i) > range.high) return {replacement, i, false};
    code = code << 6 | (byte(i) & 0x3Fu);
    range = {0x80, 0xBF};
  }
  return {code, length, true};
}

/// Writes `text` character by character; `escape` writes those that it must, and says so.
template <class Escape>
line_writer& put_characters(line_writer& line, std::string_view text, Escape escape) noexcept {
  while (!text.empty()) {
    const character c = first_of(text);
    if (!c.is_valid) {
      line.put("\xEF\xBF\xBD");
    } else if (!escape(c.code)) {
      line.put({text.data(), c.bytes}); // substr would bring what throws
    }
    text.remove_prefix(c.bytes);
  }
  return line;
}

/// What Unicode calls Bidi_Control.
bool turns_direction(std::uint32_t code) noexcept {
  return code == 0x061C || code == 0x200E || code == 0x200F || (code >= 0x202A && code <= 0x202E) ||
         (code >= 0x2066 && code <= 0x2069);
}

bool is_unsafe_to_show(std::uint32_t code) noexcept {
  const bool is_control = code < 0x20 || (code >= 0x7F && code <= 0x9F);
  const bool separates = code == 0x2028 || code == 0x2029;
  return is_control || separates || turns_direction(code);
}

void put_code(line_writer& line, std::uint32_t code) noexcept {
  line.put("\\u");
  for (unsigned shift = 16; shift != 0; shift -= 4)
    line.put({&"0123456789abcdef"[code >> (shift - 4) & 0xF], 1});
}

bool put_json_escape(line_writer& line, std::uint32_t code) noexcept {
  switch (code) {
  case '"': line.put("\\\""); return true;
  case '\\': line.put("\\\\"); return true;
  case '\n': line.put("\\n"); return true;
  case '\r': line.put("\\r"); return true;
  case '\t': line.put("\\t"); return true;
  default:
    if (!is_unsafe_to_show(code)) return false;
    put_code(line, code);
    return true;
  }
}

} // namespace

line_writer& put_quoted(line_writer& line, std::string_view text) noexcept {
  line.put("\"");
  put_characters(line, text, [&line](std::uint32_t code) { return put_json_escape(line, code); });
  return line.put("\"");
}

line_writer& put_help(line_writer& line, std::string_view text) noexcept {
  return put_characters(line, text, [&line](std::uint32_t code) {
    if (code == '\n') line.put("\\n");
    if (code == '\\') line.put("\\\\");
    return code == '\n' || code == '\\';
  });
}

line_writer& put_escaped(line_writer& line, std::string_view text) noexcept {
  return put_characters(line, text, [&line](std::uint32_t code) {
    if (code == '\n') line.put("\\n");
    if (code == '\\') line.put("\\\\");
    if (code == '"') line.put("\\\"");
    return code == '\n' || code == '\\' || code == '"';
  });
}

} // namespace allot::inline ALLOT_ABI::report
