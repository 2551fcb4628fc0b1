// What a budget adds: the pair of calls behind a limit_adaptor of bytes, and of bytes and blocks, as counting_adaptor_gate
// has it behind an adaptor that does nothing. Upstream is an arena by its type.

#include "gate/gate.hpp"

#include <allot/adaptor/limit_adaptor.hpp>
#include <allot/arena/bump_resource.hpp>

#include <cstddef>
#include <memory_resource>
#include <span>

namespace {

using arena = allot::bump_resource<>;

alignas(64) std::byte memory[4096];

/// Through the interface on both ways.
[[gnu::noinline]] void pair(std::pmr::memory_resource& r, std::size_t turns) {
  for (std::size_t i = 0; i < turns; ++i)
    r.deallocate(r.allocate(32, 8), 32, 8);
}

void bytes(std::size_t turns) {
  arena upstream{std::span{memory}};
  allot::limit_adaptor capped{upstream, 1000};
  pair(capped, turns);
}

void bytes_and_blocks(std::size_t turns) {
  arena upstream{std::span{memory}};
  allot::limit_adaptor capped{upstream, allot::budget{.bytes = 1000, .blocks = 10}};
  pair(capped, turns);
}

const gate::row rows[]{
    {"limit_adaptor/pair", gate::turn, bytes},
    {"limit_adaptor, blocks/pair", gate::turn, bytes_and_blocks},
};

} // namespace
