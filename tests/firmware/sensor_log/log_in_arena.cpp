// The work of examples/firmware/sensor_log in ARENA_BYTES bytes.

#include "sensor_log/last_words.hpp"
#include "sensor_log/log.hpp"

#include <allot/arena/static_arena.hpp>

namespace {

constinit allot::static_arena<ARENA_BYTES, 2> memory;

} // namespace

int main() {
  allot::set_failure_handler(sensor_log::tell_and_end);
  sensor_log::log_day(memory.claim("log"), [](std::string_view line) { board::write(line); });
}
