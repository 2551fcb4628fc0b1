#include <allot/adaptor/trace_writer.hpp>
#include <allot/detail/write_whole.hpp>

namespace allot::inline ALLOT_ABI {

trace_writer::trace_writer(int fd, trace_format format) noexcept : fd_{fd}, format_{format} {
  if (format == trace_format::csv) write_line(trace_csv_header.data(), trace_csv_header.size());
}

void trace_writer::record(const trace_event& event) noexcept {
  char line[longest_trace_line];
  write_line(line, format_trace(event, format_, line));
}

void trace_writer::write_line(const char* line, std::size_t length) noexcept {
  if (is_cut_.load(std::memory_order_relaxed) && is_cut_.exchange(false, std::memory_order_relaxed)) {
    if (detail::write_whole(fd_, "\n") == 0) is_cut_.store(true, std::memory_order_relaxed);
  }
  const std::size_t done = detail::write_whole(fd_, {line, length});
  if (done == length) {
    written_.fetch_add(1, std::memory_order_relaxed);
    return;
  }
  dropped_.fetch_add(1, std::memory_order_relaxed);
  if (done != 0) is_cut_.store(true, std::memory_order_relaxed);
}

} // namespace allot::inline ALLOT_ABI
