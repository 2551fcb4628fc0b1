#include <allot/core/atomic.hpp>
#include <allot/core/expects.hpp>
#include <allot/core/failure.hpp>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <charconv>
#include <concepts>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <limits>
#include <string_view>

namespace allot::inline ALLOT_ABI {
namespace {

constinit detail::atomic<failure_handler> current_handler{nullptr};

/// Appends to a buffer, counts what did not fit, and never allocates.
class line_writer {
public:
  explicit line_writer(std::span<char> text) noexcept : text_{text} {}

  line_writer& operator<<(std::string_view part) noexcept {
    if (length_ < text_.size()) {
      std::copy_n(part.data(), std::min(part.size(), text_.size() - length_), text_.data() + length_);
    }
    length_ += part.size();
    return *this;
  }

  line_writer& operator<<(std::size_t n) noexcept { return number(n, 10); }
  line_writer& operator<<(char) = delete; // it would be a number

  line_writer& address(const void* p) noexcept {
    *this << std::string_view{"0x"};
    return number(reinterpret_cast<std::uintptr_t>(p), 16);
  }

  /// Terminates the text, over its last character where it was cut.
  std::size_t finish() noexcept {
    if (!text_.empty()) text_[std::min(length_, text_.size() - 1)] = '\0';
    return length_;
  }

private:
  /// For a size or an address, since 64-bit division is a function of its own where they have 32 bits.
  template <std::unsigned_integral N>
  line_writer& number(N n, int base) noexcept {
    static_assert(sizeof(N) <= sizeof(std::uintptr_t));
    char digits[std::numeric_limits<N>::digits];
    const auto end = std::to_chars(digits, digits + sizeof digits, n, base).ptr;
    return *this << std::string_view{digits, static_cast<std::size_t>(end - digits)};
  }

  std::span<char> text_;
  std::size_t length_ = 0;
};

void write_request(line_writer& line, const failure& what) noexcept {
  line << what.bytes << (what.bytes == 1 ? " byte" : " bytes");
  if (what.alignment != 0) line << " aligned to " << what.alignment;
}

void write_room(line_writer& line, const failure& what) noexcept {
  if (what.capacity != 0) {
    line << ": " << what.used << " of " << what.capacity << " bytes in use";
  } else if (what.used != 0) {
    line << ": " << what.used << " bytes in use";
  }
}

void write_event(line_writer& line, const failure& what) noexcept {
  switch (what.reason) {
  case failure_reason::out_of_memory:
    line << "no room for ";
    write_request(line, what);
    write_room(line, what);
    return;
  case failure_reason::budget_exceeded:
    line << "over budget by a request for ";
    write_request(line, what);
    write_room(line, what);
    return;
  case failure_reason::already_claimed:
    line << "already claimed, and can be claimed only once";
    if (what.capacity != 0) line << " (" << what.capacity << " bytes)";
    return;
  case failure_reason::uninitialised: line << "read before it was initialised"; return;
  case failure_reason::poisoned: line << "read after its initialiser threw"; return;
  case failure_reason::wrong_deallocation:
    line << "wrong deallocation of ";
    write_request(line, what);
    line << " at ";
    line.address(what.pointer);
    return;
  case failure_reason::precondition: line << "precondition violated"; return;
  case failure_reason::leak:
    line << "never given back: ";
    write_request(line, what);
    line << " at ";
    line.address(what.pointer);
    return;
  }
}

/// What a call for memory may answer. The C library's own texts are translated, and it may allocate for that.
const char* text_of([[maybe_unused]] int system_error) noexcept {
#if defined(__unix__) || defined(__APPLE__)
  switch (system_error) {
  case EACCES: return "EACCES: not allowed";
  case EAGAIN: return "EAGAIN: too much memory is locked, or not now";
  case EBUSY: return "EBUSY: in use";
  case EEXIST: return "EEXIST: something is mapped there";
  case EINVAL: return "EINVAL: the system does not take such an argument";
  case ENODEV: return "ENODEV: no such device";
  case ENOMEM: return "ENOMEM: no memory or address space left, or too many mappings";
  case ENOSYS: return "ENOSYS: the system has no such call";
  case EPERM: return "EPERM: not permitted";
  default: break;
  }
#endif
  return nullptr;
}

void write_system_error(line_writer& line, int system_error) noexcept {
  line << ": system error ";
  if (system_error < 0) line << "-";
  line << static_cast<std::size_t>(std::abs(static_cast<long long>(system_error)));
  if (const char* const text = text_of(system_error)) line << " (" << text << ")";
}

#if ALLOT_BARE_METAL

void last_words(const failure&) noexcept {}
[[noreturn]] void end_the_program() noexcept { allot_trap(); } // newlib's abort would bring its malloc

#else

void last_words(const failure& what) noexcept {
  char text[512];
  describe(what, text);
  std::fputs(text, stderr);
  std::fputc('\n', stderr);
}

[[noreturn]] void end_the_program() noexcept { std::abort(); }

#endif

} // namespace

const char* to_string(failure_reason reason) noexcept {
  switch (reason) {
  case failure_reason::out_of_memory: return "out_of_memory";
  case failure_reason::budget_exceeded: return "budget_exceeded";
  case failure_reason::already_claimed: return "already_claimed";
  case failure_reason::uninitialised: return "uninitialised";
  case failure_reason::poisoned: return "poisoned";
  case failure_reason::wrong_deallocation: return "wrong_deallocation";
  case failure_reason::precondition: return "precondition";
  case failure_reason::leak: return "leak";
  }
  return "unknown";
}

std::size_t describe(const failure& what, std::span<char> text) noexcept {
  line_writer line{text};
  line << "allot: " << (what.resource != nullptr ? what.resource : "?");
  if (what.name != nullptr) line << " \"" << what.name << "\"";
  line << ": ";
  write_event(line, what);
  if (what.detail != nullptr) line << ": " << what.detail;
  if (what.system_error != 0) write_system_error(line, what.system_error);
  return line.finish();
}

failure_handler set_failure_handler(failure_handler handler) noexcept {
#ifdef ALLOT_TEST_AND_SET
  const failure_handler before = current_handler.load();
  current_handler.store(handler);
  return before;
#else
  return current_handler.exchange(handler);
#endif
}

failure_handler get_failure_handler() noexcept { return current_handler.load(); }

void raise(const failure& what) {
#if ALLOT_EXCEPTIONS
  switch (what.reason) {
  case failure_reason::out_of_memory: throw out_of_memory{what};
  case failure_reason::budget_exceeded: throw budget_exceeded{what};
  case failure_reason::already_claimed: throw already_claimed{what};
  case failure_reason::uninitialised:
  case failure_reason::poisoned: throw not_ready{what};
  case failure_reason::wrong_deallocation:
  case failure_reason::precondition:
  case failure_reason::leak: break;
  }
#endif
  halt(what);
}

void halt(const failure& what) noexcept {
  if (const failure_handler handler = get_failure_handler()) {
    handler(what);
  } else {
    last_words(what);
  }
  end_the_program();
}

void precondition_violated(const char* condition, const char* where) noexcept {
  halt({.reason = failure_reason::precondition, .resource = where, .detail = condition});
}

} // namespace allot::inline ALLOT_ABI
