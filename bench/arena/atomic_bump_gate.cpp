// The fast paths of the arena for any thread: through `memory_resource*`, and with the block given back.

#include "gate/gate.hpp"

#include <allot/arena/atomic_bump_resource.hpp>

#include <cstddef>
#include <memory_resource>
#include <span>

namespace {

alignas(64) std::byte memory[gate::most_turns * 64];

// noipa: whoever knew the type that it is called with would call no virtual function.

[[gnu::noipa]] void take(std::pmr::memory_resource& r, std::size_t turns) {
  for (std::size_t i = 0; i < turns; ++i)
    (void)r.allocate(8 + i % 4 * 8, 8);
}

[[gnu::noipa]] void take_and_give_back(std::pmr::memory_resource& r, std::size_t turns) {
  for (std::size_t i = 0; i < turns; ++i)
    r.deallocate(r.allocate(24, 8), 24, 8);
}

template <std::size_t MinAlign>
void interface_of(std::size_t turns) {
  allot::atomic_bump_resource<std::dynamic_extent, MinAlign> arena{std::span{memory}};
  take(arena, turns);
}

void pairs(std::size_t turns) {
  allot::atomic_bump_resource arena{std::span{memory}};
  take_and_give_back(arena, turns);
}

const gate::row rows[] = {
    {"atomic_bump_resource/interface", gate::do_allocate, interface_of<1>},
    {"atomic_bump_resource, MinAlign 8/interface", gate::do_allocate, interface_of<8>},
    {"atomic_bump_resource/pair", gate::turn, pairs},
};

} // namespace
