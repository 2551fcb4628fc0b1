// What a chain adds: an allocation and its deallocation through three layers over an arena, as one class written by hand, as
// a chain whose types are known, and as the same layers over `std::pmr::memory_resource*`.

#include "gate/gate.hpp"
#include "support/hand_written.hpp"

#include <cstddef>
#include <memory_resource>
#include <span>

namespace {

alignas(64) std::byte memory[gate::most_turns];

/// A function of its own, so that the stack is in memory and not in registers.
template <class Resource>
[[gnu::noinline]] void pairs(Resource& r, std::size_t turns) {
  for (std::size_t i = 0; i < turns; ++i)
    r.deallocate(r.allocate(32, 8), 32, 8);
}

bench::hand_written by_hand(std::span<std::byte> bytes) { return bench::hand_written{bytes}; }

template <auto make>
void known(std::size_t turns) {
  auto stack = make(std::span{memory});
  pairs(stack, turns);
}

template <auto make>
void interface(std::size_t turns) {
  auto stack = make(std::span{memory});
  pairs<std::pmr::memory_resource>(stack, turns);
}

const gate::row rows[]{
    {"stack of three by hand/pair, known type", gate::turn, known<by_hand>},
    {"stack of three as a chain/pair, known type", gate::turn, known<bench::static_stack>},
    {"stack of three by hand/pair", gate::turn, interface<by_hand>},
    {"stack of three as a chain/pair", gate::turn, interface<bench::static_stack>},
    {"stack of three over memory_resource*/pair", gate::turn, interface<bench::dynamic_stack>},
};

} // namespace
