#pragma once

#include <allot/core/config.hpp>

#include <cstddef>
#include <cstring>
#include <exception>
#include <new>
#include <span>
#include <type_traits>

#if ALLOT_BARE_METAL
/// Where a program on bare metal ends that cannot go on: after the failure handler has returned, or at once where there is
/// none. allot's own is a trap instruction, that is a fault which the vector table or the debugger sees; a program's own
/// definition takes its place. It must not return.
extern "C" [[noreturn]] void allot_trap() noexcept;
#endif

namespace allot::inline ALLOT_ABI {

/// What went wrong.
enum class failure_reason : unsigned char {
  out_of_memory,      ///< the resource has no room for the request
  budget_exceeded,    ///< the request would have passed a limit that someone set
  already_claimed,    ///< one-shot memory was asked for a second time
  uninitialised,      ///< a `once` was read before its value was made
  poisoned,           ///< a `once` was read whose initialiser threw
  wrong_deallocation, ///< a block came back that was not given out, or not as it was given out
  precondition,       ///< the caller broke a documented precondition (seen at check level 1)
  leak,               ///< a resource ended before its blocks had come back
};

/// The name of a reason as it stands in the enumeration, for example "out_of_memory".
[[nodiscard]] const char* to_string(failure_reason reason) noexcept;

/// What a failed call leaves behind: small, trivially copyable, and made of values and of pointers to static storage
/// alone, so that it outlives the resource that failed.
struct failure {
  failure_reason reason = failure_reason::out_of_memory; ///< what went wrong
  const char* resource = "";     ///< the class that refused, for example "bump_resource"; static storage
  const char* name = nullptr;    ///< the instance's name where it was given one; must be static storage
  const char* detail = nullptr;  ///< one clause more where the reason alone does not say it; static storage
  const void* pointer = nullptr; ///< the block, for a wrong deallocation
  std::size_t bytes = 0;         ///< the size asked for, or given back
  std::size_t alignment = 0;     ///< the alignment asked for, or given back; 0 where none is involved
  std::size_t used = 0;          ///< bytes in use when it happened, where the resource knows them
  std::size_t capacity = 0;      ///< the most bytes that could be in use; 0 where the resource has no such figure
  int system_error = 0;          ///< the system's own number, `errno` on POSIX; 0 where no system call failed
};

static_assert(std::is_trivially_copyable_v<failure> && sizeof(failure) <= 192);

/// Writes one line of text about `what` into `text`, always terminated by a null where there is room for one, and cut
/// where it does not fit. Allocates nothing.
/// \return the length of the whole line without the null, as `std::snprintf` counts it: not below `text.size()` means cut
std::size_t describe(const failure& what, std::span<char> text) noexcept;

/// Called with the record of a failure that is not thrown: every failure without exceptions, and a wrong deallocation or
/// a broken precondition in any build. It may log, reset the machine or end the program. If it returns from a failure
/// that allot cannot go on after, the program aborts, on bare metal by `allot_trap`.
using failure_handler = void (*)(const failure&) noexcept;

/// Sets the handler for the whole program; null for none (the failure is printed to stderr where there is one, and the
/// program aborts).
/// \return the handler before
/// Threads: any thread; one at a time where `ALLOT_TEST_AND_SET` is defined, since such a core has no atomic exchange.
failure_handler set_failure_handler(failure_handler handler) noexcept;

/// The handler that is set, or null. Threads: any thread and interrupt handlers.
[[nodiscard]] failure_handler get_failure_handler() noexcept;

/// Fails in the way of the build: throws the exception that stands for `what.reason`, or, without exceptions, does as
/// `halt` does. For the authors of resources.
[[noreturn]] void raise(const failure& what);

/// Gives `what` to the failure handler; if there is none, prints it to stderr. If the handler returns, aborts; on bare
/// metal nothing is printed, and `allot_trap` ends the program.
/// For what no program can go on after: a wrong deallocation, a broken precondition.
[[noreturn]] void halt(const failure& what) noexcept;

/// `Base` with a record and its text. Copies without throwing: the text lies in the exception itself.
template <class Base>
class failure_exception : public Base {
public:
  /// Keeps the record, and writes its line.
  explicit failure_exception(const failure& record) noexcept : record_{record} { describe(record, text_); }

  /// What happened, where, and how much was asked for, in one line.
  [[nodiscard]] const char* what() const noexcept override { return text_; }

  /// The same as figures.
  [[nodiscard]] const failure& record() const noexcept { return record_; }

private:
  failure record_;
  char text_[256] = {}; // all of it: a copy reads all of it
};

/// A request that a resource of allot could not serve.
class out_of_memory : public failure_exception<std::bad_alloc> {
public:
  using failure_exception::failure_exception;
};

/// A second claim of one-shot memory.
class already_claimed final : public out_of_memory {
public:
  using out_of_memory::out_of_memory;
};

/// A request past a limit that someone set.
class budget_exceeded final : public out_of_memory {
public:
  using out_of_memory::out_of_memory;
};

/// A `once` read before it was made, or after its initialiser threw.
class not_ready final : public failure_exception<std::exception> {
public:
  using failure_exception::failure_exception;
};

} // namespace allot::inline ALLOT_ABI
