#include <allot/testing/boost_stacks.hpp>

#include <cstddef>
#include <cstdio>
#include <new>
#include <span>
#include <string>

#include <boost/stacktrace/frame.hpp>
#include <boost/stacktrace/safe_dump_to.hpp>

namespace allot::inline ALLOT_ABI {
namespace {

std::size_t capture(std::span<const void*> frames, void*) noexcept {
  // Room for the null that ends what is dumped, and which is counted.
  const void* dumped[call_stack::most_frames + 1];
  // Without the first, which is in here: not every variant knows the name of a function that is not exported.
  const std::size_t n = boost::stacktrace::safe_dump_to(1, static_cast<void*>(dumped), sizeof dumped);
  std::size_t depth = 0;
  while (depth < n && depth < frames.size() && dumped[depth] != nullptr) {
    frames[depth] = dumped[depth];
    ++depth;
  }
  return depth;
}

std::size_t write(const boost::stacktrace::frame& frame, std::span<char> text) {
  const std::string function = frame.name();
  if (function.empty()) return 0;
  const std::string file = frame.source_file();
  const int n = file.empty() ? std::snprintf(text.data(), text.size(), "%s", function.c_str())
                             : std::snprintf(text.data(), text.size(), "%s at %s:%zu", function.c_str(), file.c_str(),
                                             frame.source_line());
  return n > 0 ? static_cast<std::size_t>(n) : 0;
}

std::size_t describe_frame(const void* frame, std::span<char> text, void*) noexcept {
  // A return address is behind the call, often on another line: one byte before it is in the call.
  const boost::stacktrace::frame call{static_cast<const char*>(frame) - 1};
#if ALLOT_EXCEPTIONS
  try {
    return write(call, text);
  } catch (const std::bad_alloc&) {
    return 0;
  }
#else
  return write(call, text);
#endif
}

constexpr stack_source source{.capture = capture, .describe = describe_frame};

} // namespace

const stack_source& boost_stacks() noexcept { return source; }

} // namespace allot::inline ALLOT_ABI
