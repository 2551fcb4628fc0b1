#include <allot/testing/checking_resource.hpp>

#include <allot/core/failure.hpp>
#include <allot/testing/checking_resource_block.hpp>

#include <cstdarg>
#include <cstddef>
#include <cstdio>
#include <mutex>
#include <span>

namespace allot::inline ALLOT_ABI {
namespace {

/// Appends formatted lines to a buffer and counts what did not fit.
class text_writer {
public:
  explicit text_writer(std::span<char> text) noexcept : text_{text} {
    if (!text_.empty()) text_[0] = '\0';
  }

  [[gnu::format(printf, 2, 3)]] void add(const char* format, ...) noexcept {
    const auto room = length_ < text_.size() ? text_.subspan(length_) : std::span<char>{};
    std::va_list values;
    va_start(values, format);
    const int n = std::vsnprintf(room.data(), room.size(), format, values);
    va_end(values);
    if (n > 0) length_ += static_cast<std::size_t>(n);
  }

  [[nodiscard]] std::size_t length() const noexcept { return length_; }

private:
  std::span<char> text_;
  std::size_t length_ = 0;
};

void add_block(text_writer& line, const memory_report& what) noexcept {
  if (what.fault == memory_fault::underrun && what.serial == 0) {
    return line.add("the block at about %p, whose header is lost,", what.block);
  }
  line.add("block #%zu (%zu bytes aligned to %zu at %p)", what.serial, what.bytes, what.alignment, what.block);
}

void add_given(text_writer& line, const memory_report& what) noexcept {
  line.add(" came back as %zu bytes aligned to %zu", what.given_bytes, what.given_alignment);
}

/// "byte 4 of block #1 (...) holds 0x41".
void add_overwritten(text_writer& line, const memory_report& what) noexcept {
  line.add("byte %td of ", what.offset);
  add_block(line, what);
  line.add(" was overwritten with 0x%02X", static_cast<unsigned>(what.found));
}

void add_foreign(text_writer& line, const memory_report& what) noexcept {
  line.add("%p", what.pointer);
  add_given(line, what);
  if (what.serial == 0) {
    line.add(", but is no block of this resource");
  } else {
    line.add(", but lies %td bytes into ", what.offset);
    add_block(line, what);
  }
}

void add_event(text_writer& line, const memory_report& what) noexcept {
  switch (what.fault) {
  case memory_fault::leak:
    add_block(line, what);
    line.add(" was never given back");
    return;
  case memory_fault::double_free:
    add_block(line, what);
    line.add(" came back a second time");
    return;
  case memory_fault::foreign_pointer: add_foreign(line, what); return;
  case memory_fault::wrong_size:
  case memory_fault::wrong_alignment:
    add_block(line, what);
    add_given(line, what);
    return;
  case memory_fault::underrun:
  case memory_fault::overrun:
  case memory_fault::write_after_free: add_overwritten(line, what); return;
  case memory_fault::poisoned:
    add_block(line, what);
    line.add(" came back poisoned");
    return;
  }
}

/// The failure that stands for a fault when the program ends by it.
failure as_failure(const memory_report& what) noexcept {
  const bool at_deallocation = what.pointer != nullptr;
  return {.reason = at_deallocation                    ? failure_reason::wrong_deallocation
                    : what.fault == memory_fault::leak ? failure_reason::leak
                                                       : failure_reason::precondition,
          .resource = checking_resource::class_name,
          .name = what.name,
          .detail = to_string(what.fault),
          .pointer = at_deallocation ? what.pointer : what.block,
          .bytes = at_deallocation ? what.given_bytes : what.bytes,
          .alignment = at_deallocation ? what.given_alignment : what.alignment};
}

void print(const memory_report& what, std::FILE* out) noexcept {
  char text[512];
  describe(what, text);
  std::fprintf(out, "%s\n", text);
}

} // namespace

const char* to_string(memory_fault fault) noexcept {
  switch (fault) {
  case memory_fault::leak: return "leak";
  case memory_fault::double_free: return "double_free";
  case memory_fault::foreign_pointer: return "foreign_pointer";
  case memory_fault::wrong_size: return "wrong_size";
  case memory_fault::wrong_alignment: return "wrong_alignment";
  case memory_fault::underrun: return "underrun";
  case memory_fault::overrun: return "overrun";
  case memory_fault::write_after_free: return "write_after_free";
  case memory_fault::poisoned: return "poisoned";
  }
  return "unknown";
}

std::size_t describe(const memory_report& what, std::span<char> text) noexcept {
  text_writer line{text};
  line.add("allot: checking_resource");
  if (what.name != nullptr) line.add(" \"%s\"", what.name);
  line.add(": %s: ", to_string(what.fault));
  add_event(line, what);
  return line.length();
}

void checking_resource::lose(block& b) noexcept {
  std::byte* const about_there = b.front_guard() + guard_bytes;
  const memory_report what{.fault = memory_fault::underrun,
                           .name = options_.name,
                           .block = about_there,
                           .offset = reinterpret_cast<std::byte*>(&b.spare.seal) - about_there,
                           .found = static_cast<unsigned char>(b.spare.seal)};
  report(what);
  print(what, stderr);
  halt(as_failure(what));
}

void checking_resource::report(const memory_report& what) noexcept {
  ++errors_[static_cast<std::size_t>(what.fault)];
  if (!first_) first_ = what;
  last_ = what;
  if (options_.handler != nullptr) {
    options_.handler(what, options_.user);
  } else if (options_.action == on_fault::abort) {
    print(what, stderr);
    halt(as_failure(what));
  }
}

memory_report checking_resource::about(memory_fault fault, const block& b) const noexcept {
  const record& r = b.known();
  return {.fault = fault,
          .name = options_.name,
          .serial = r.serial,
          .block = r.begin,
          .bytes = r.bytes,
          .alignment = r.alignment};
}

std::size_t checking_resource::report_leaks(std::span<char> text) const noexcept {
  const std::lock_guard lock{mutex_};
  std::size_t length = 0;
  if (!text.empty()) text[0] = '\0';
  for (const block* b = live_.first; b != nullptr; b = b->next) {
    char line[512];
    describe(about(memory_fault::leak, *b), line);
    text_writer rest{length < text.size() ? text.subspan(length) : std::span<char>{}};
    rest.add("%s\n", line);
    length += rest.length();
  }
  return length;
}

std::size_t checking_resource::report_leaks(std::FILE* out) const noexcept {
  const std::lock_guard lock{mutex_};
  for (const block* b = live_.first; b != nullptr; b = b->next)
    print(about(memory_fault::leak, *b), out);
  return counts_.live_blocks;
}

} // namespace allot::inline ALLOT_ABI
