#include <allot/testing/checking_resource.hpp>

#include <allot/core/failure.hpp>
#include <allot/detail/line_pattern.hpp>
#include <allot/testing/checking_resource_block.hpp>

#include <array>
#include <cstddef>
#include <cstdio>
#include <cstring>
#include <mutex>
#include <span>
#include <type_traits>

namespace allot::inline ALLOT_ABI {
namespace {

/// Room for the text of a report with its stacks; lines beyond it are left out.
constexpr std::size_t stack_text = 16384;

/// Ends a text that was cut behind its last whole line, so that the next report starts on one of its own.
void end_at_a_line(std::span<char> text, std::size_t whole_length) noexcept {
  if (whole_length < text.size()) return;
  if (char* const last = std::strrchr(text.data(), '\n')) last[1] = '\0';
}

/// Appends formatted lines to a buffer and counts what did not fit.
class text_writer {
public:
  explicit text_writer(std::span<char> text) noexcept : text_{text} {
    if (!text_.empty()) text_[0] = '\0';
  }

  template <class... Values>
  void add(std::type_identity_t<detail::line_pattern<sizeof...(Values)>> pattern, const Values&... values) noexcept {
    wrote(detail::write_line(rest(), pattern, values...));
  }

  /// Where the next text goes, for one that writes it by itself, and tells its whole length to `wrote`.
  [[nodiscard]] std::span<char> rest() const noexcept {
    return length_ < text_.size() ? text_.subspan(length_) : std::span<char>{};
  }
  void wrote(std::size_t length) noexcept { length_ += length; }

  [[nodiscard]] std::size_t length() const noexcept { return length_; }

private:
  std::span<char> text_;
  std::size_t length_ = 0;
};

void add_name(text_writer& line, const memory_report& what) noexcept {
  line.add("allot: checking_resource");
  if (what.name != nullptr) line.add(" \"{}\"", what.name);
  line.add(": {}: ", to_string(what.fault));
}

void add_block(text_writer& line, const memory_report& what) noexcept {
  if (what.fault == memory_fault::underrun && what.serial == 0) {
    return line.add("the block at about {}, whose header is lost,", what.block);
  }
  line.add("block #{} ({} bytes aligned to {} at {})", what.serial, what.bytes, what.alignment, what.block);
}

void add_given(text_writer& line, const memory_report& what) noexcept {
  line.add(" came back as {} bytes aligned to {}", what.given_bytes, what.given_alignment);
}

/// "byte 4 of block #1 (...) holds 0x41".
void add_overwritten(text_writer& line, const memory_report& what) noexcept {
  line.add("byte {} of ", what.offset);
  add_block(line, what);
  line.add(" was overwritten with {}", std::byte{what.found});
}

void add_foreign(text_writer& line, const memory_report& what) noexcept {
  line.add("{}", what.pointer);
  add_given(line, what);
  if (what.serial == 0) {
    line.add(", but is no block of this resource");
  } else {
    line.add(", but lies {} bytes into ", what.offset);
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

void add_stack(text_writer& lines, const char* title, const call_stack* stack, const stack_source& source) noexcept {
  if (stack == nullptr) return;
  lines.add("  {}\n", title);
  lines.wrote(describe(*stack, source, lines.rest()));
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
  add_name(line, what);
  add_event(line, what);
  return line.length();
}

std::size_t describe(const memory_report& what, const stack_source& stacks, std::span<char> text) noexcept {
  text_writer lines{text};
  lines.wrote(describe(what, text));
  lines.add("\n");
  add_stack(lines, "the block was asked for by", what.asked_by, stacks);
  add_stack(lines, "it was given back by", what.freed_by, stacks);
  add_stack(lines, "and now it came back by", what.found_by, stacks);
  return lines.length();
}

/// A function of its own, since its frame would be that of `print`, and is larger than a small target's memory.
[[gnu::noinline]] void checking_resource::print_with_stacks(const memory_report& what, std::FILE* out) const noexcept {
  char text[stack_text];
  end_at_a_line(text, describe(what, *options_.stacks, text));
  std::fputs(text, out);
}

void checking_resource::print(const memory_report& what, std::FILE* out) const noexcept {
  if (options_.stacks != nullptr) return print_with_stacks(what, out);
  char text[512];
  describe(what, text);
  std::fputs(text, out);
  std::fputs("\n", out);
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

void checking_resource::report(memory_report what) noexcept {
  call_stack here;
  ++errors_[static_cast<std::size_t>(what.fault)];
  last_ = what;
  last_->asked_by = last_->freed_by = nullptr;
  if (!first_) first_ = last_;

  if (options_.stacks != nullptr && what.pointer != nullptr) {
    here = call_stack::of_caller(*options_.stacks);
    what.found_by = &here;
  }
  if (options_.handler != nullptr) {
    options_.handler(what, options_.user);
  } else if (options_.action == on_fault::abort) {
    print(what, stderr);
    halt(as_failure(what));
  }
}

memory_report checking_resource::about(memory_fault fault, const block& b) const noexcept {
  const record& r = b.known();
  const block_stacks* const stacks = stacks_of(b);
  return {.fault = fault,
          .name = options_.name,
          .serial = r.serial,
          .block = r.begin,
          .bytes = r.bytes,
          .alignment = r.alignment,
          .asked_by = stacks == nullptr ? nullptr : &stacks->asked,
          .freed_by = stacks == nullptr || r.live != 0 ? nullptr : &stacks->freed};
}

/// Adds `b` to the group of leaks that the same stack asked for, or makes it the first of one. `groups` is a table of
/// lists, by the stack's hash.
void checking_resource::add_to_group(block& b, std::span<block*> groups) const noexcept {
  block_stacks& own = *stacks_of(b);
  block*& list = groups[own.asked.hash() % groups.size()];
  for (block* leader = list; leader != nullptr; leader = stacks_of(*leader)->next_group) {
    block_stacks& group = *stacks_of(*leader);
    if (group.asked == own.asked) {
      ++group.group_blocks;
      group.group_bytes += b.own.bytes;
      return;
    }
  }
  own.next_group = list;
  own.group_blocks = 1;
  own.group_bytes = b.own.bytes;
  list = &b;
}

std::size_t checking_resource::describe_group(const block& leader, std::span<char> text) const noexcept {
  const block_stacks& group = *stacks_of(leader);
  const memory_report first = about(memory_fault::leak, leader);
  if (group.group_blocks == 1) return describe(first, *options_.stacks, text);
  text_writer lines{text};
  add_name(lines, first);
  lines.add("{} blocks, {} bytes in all, were never given back; the first is ", group.group_blocks, group.group_bytes);
  add_block(lines, first);
  lines.add("\n");
  add_stack(lines, "they were asked for by", first.asked_by, *options_.stacks);
  return lines.length();
}

/// Calls `f` with the text about each leak, or each group of leaks; it ends with its line.
template <class F>
void checking_resource::for_each_leak(F f) const noexcept {
  if (options_.stacks != nullptr) return for_each_leak_with_stacks(f);
  for (const block* b = live_.first; b != nullptr; b = b->next) {
    char text[512];
    describe(about(memory_fault::leak, *b), text);
    f(text), f("\n");
  }
}

template <class F>
[[gnu::noinline]] void checking_resource::for_each_leak_with_stacks(F f) const noexcept {
  std::array<block*, 256> groups{};
  for (block* b = live_.first; b != nullptr; b = b->next)
    add_to_group(*b, groups);
  for (const block* b = live_.first; b != nullptr; b = b->next) {
    if (stacks_of(*b)->group_blocks == 0) continue;
    char text[stack_text];
    end_at_a_line(text, describe_group(*b, text));
    f(text);
  }
}

std::size_t checking_resource::report_leaks(std::span<char> text) const noexcept {
  const std::lock_guard lock{mutex_};
  text_writer all{text};
  for_each_leak([&](const char* part) { all.add("{}", part); });
  return all.length();
}

std::size_t checking_resource::report_leaks(std::FILE* out) const noexcept {
  const std::lock_guard lock{mutex_};
  for_each_leak([&](const char* part) { std::fputs(part, out); });
  return counts_.live_blocks;
}

} // namespace allot::inline ALLOT_ABI
