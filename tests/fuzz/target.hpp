#pragma once

#include "input.hpp"

#include <cstddef>
#include <cstdint>

/// What every program here has: runs one input. libFuzzer calls it with inputs of its own making, replay.cpp with those of
/// the corpus.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);

/// Writes it around a function that takes a `fuzz::input&`.
#define FUZZ_TARGET(function)                                                                                          \
  extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {                                  \
    fuzz::input in{{data, size}};                                                                                      \
    function(in);                                                                                                      \
    return 0;                                                                                                          \
  }
