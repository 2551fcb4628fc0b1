#include <allot/adaptor/trace_dump.hpp>
#include <allot/adaptor/trace_format.hpp>
#include <allot/detail/plain_line.hpp>
#include <allot/detail/write_whole.hpp>

#include <algorithm>

namespace allot::inline ALLOT_ABI::detail {

trace_dump::trace_dump(int fd, const trace_figures& figures) noexcept : fd_{fd} {
  char text[longest_trace_line];
  plain_line line{text};
  line.put("allot: the last ").number(std::min(figures.came, figures.capacity)).put(" of ").number(figures.came);
  line.put(" events, ").number(figures.dropped).put(" dropped\n");
  put_line(line.text());
}

void trace_dump::put(const trace_event& event) noexcept {
  char text[longest_trace_line];
  const std::size_t length = format_trace(event, trace_format::text, text);
  if (put_line({text, length})) ++written_;
}

bool trace_dump::put_line(std::string_view line) noexcept {
  if (takes_a_line(fd_, patience_)) return write_whole(fd_, line) == line.size();
  patience_ = 0;
  return false;
}

} // namespace allot::inline ALLOT_ABI::detail
