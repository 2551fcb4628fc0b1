#pragma once

#include <cstddef>

/// \file
/// Fast paths whose instructions tools/instruction_gate.py counts. To gate another one, write bench/<room>/<class>_gate.cpp:
///
///     void pairs(std::size_t turns) { ... }                           // set up, then exactly `turns` times the operation
///     const gate::row counted{"counting_adaptor/pair", gate::turn, pairs};
///
/// and run `tools/instruction_gate.py --update --reason "first measured"`. What the set-up costs does not matter: the
/// figure is the difference between two numbers of turns.

namespace gate {

/// What is counted.
enum class kind {
  turn,        ///< everything that a turn executes, the loop included
  do_allocate, ///< only what lies between the entry of a `do_allocate` and its return
};
using enum kind;

/// The most turns that a row is asked for.
constexpr std::size_t most_turns = 8192;

struct row {
  row(const char* row_name, kind counted, void (*run_turns)(std::size_t)) noexcept
      : name{row_name}, counts{counted}, run{run_turns}, next{first} {
    first = this;
  }

  const char* name;
  kind counts;
  void (*run)(std::size_t turns);
  const row* next;

  static inline const row* first = nullptr;
};

} // namespace gate
