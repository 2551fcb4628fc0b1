#include <allot/testing/stack_source.hpp>

#include <allot/detail/line_pattern.hpp>

#include <cstddef>
#include <span>
#include <string_view>

#define ALLOT_STACK_TEXT(x) #x
#define ALLOT_STACK_EXPANDED(x) ALLOT_STACK_TEXT(x)

namespace allot::inline ALLOT_ABI {
namespace {

/// Whether a frame is of those through which every stack is taken.
bool is_allots_own(std::string_view frame) noexcept {
  constexpr std::string_view own = "allot::" ALLOT_STACK_EXPANDED(ALLOT_ABI) "::";
  return frame.starts_with(own);
}

} // namespace

std::size_t describe(const call_stack& stack, const stack_source& source, std::span<char> text) noexcept {
  std::size_t length = 0;
  std::size_t number = 0;
  bool in_user_code = false;
  if (!text.empty()) text[0] = '\0';
  for (const void* const frame : stack.addresses()) {
    char known[1024] = {};
    const bool is_known = source.describe(frame, std::span{known}, source.user) != 0;
    in_user_code = in_user_code || !is_known || !is_allots_own(known);
    if (!in_user_code) continue;

    const auto rest = length < text.size() ? text.subspan(length) : std::span<char>{};
    const auto place = is_known ? detail::line_value{known} : detail::line_value{frame};
    length += detail::write_line(rest, "    #{} {}\n", number, place);
    ++number;
  }
  return length;
}

} // namespace allot::inline ALLOT_ABI
