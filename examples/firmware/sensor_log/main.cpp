// A sensor log without a heap. Each round its samples and its line of text lie in one arena of 2 KiB, which is empty again
// at the end of the round; at the end the arena says how much of it was ever in use, and how small it could be.

#include "last_words.hpp"
#include "log.hpp"

#include "board/board.hpp"

#include <allot/arena/sizing_resource.hpp>
#include <allot/arena/static_arena.hpp>

using namespace allot::literals;

namespace {

constinit allot::static_arena<2_KiB> log_memory; // in .bss: no code before main, and no heap behind it

void report(allot::bump_resource<>& arena) {
  const std::size_t kept = arena.used();
  allot::arena_scope scratch{arena};
  std::pmr::string line{&arena};
  line.reserve(96);
  line += "high water ";
  sensor_log::append_number(line, arena.high_water());
  line += " of ";
  sensor_log::append_number(line, arena.capacity());
  line += " bytes, kept from round to round: ";
  sensor_log::append_number(line, kept);
  line += "\n";
  board::write(line);
}

/// The same day once more over a resource that keeps the books of an arena, to learn the size that it needs.
void report_need(allot::bump_resource<>& memory) {
  allot::sizing_resource<allot::bump_resource<>, 8> sizing{memory};
  sensor_log::log_day(sizing, [](std::string_view) {});
  char text[80];
  board::write("it would fit into: ");
  board::write(sizing.declaration(text, "log_memory"));
  board::write("\n");
}

} // namespace

int main() {
  allot::set_failure_handler(sensor_log::tell_and_end);
  allot::bump_resource<>& arena = log_memory.claim("log");

  sensor_log::log_day(arena, [](std::string_view line) { board::write(line); });
  report(arena);
  report_need(arena);
}
