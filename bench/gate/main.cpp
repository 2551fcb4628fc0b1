// Runs every row of one kind under callgrind, with `most_turns / 2` and with `most_turns` turns, and has callgrind write a
// profile for each of the two. Without callgrind it only runs them. Usage: gate turn|do_allocate

#include "gate/gate.hpp"

#include <valgrind/callgrind.h>

#include <cstdio>
#include <string_view>

int main(int argc, char** argv) {
  const std::string_view kind = argc == 2 ? argv[1] : "";
  if (kind != "turn" && kind != "do_allocate") return 2;
  for (const gate::row* row = gate::row::first; row != nullptr; row = row->next) {
    if (row->counts != (kind == "turn" ? gate::turn : gate::do_allocate)) continue;
    row->run(gate::most_turns); // warm: no page is new, no symbol unresolved
    for (const std::size_t turns : {gate::most_turns / 2, gate::most_turns}) {
      char label[128];
      std::snprintf(label, sizeof label, "%s %zu", row->name, turns);
      CALLGRIND_ZERO_STATS;
      row->run(turns);
      CALLGRIND_DUMP_STATS_AT(label);
    }
  }
}
