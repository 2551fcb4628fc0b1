// What counting adds: an allocation behind an adaptor that does nothing and behind a counting_adaptor, and the pair of
// calls that counting_adaptor_bench times. Upstream is an arena by its type.

#include "gate/gate.hpp"
#include "support/pass_through.hpp"

#include <allot/adaptor/counting_adaptor.hpp>
#include <allot/arena/bump_resource.hpp>

#include <cstddef>
#include <memory_resource>
#include <span>

namespace {

using arena = allot::bump_resource<>;

alignas(64) std::byte memory[gate::most_turns * 64];

using nothing = bench::pass_through<arena>;
using plain = allot::counting_adaptor<arena, allot::plain_counters_t>;
using shared = allot::counting_adaptor<arena, allot::shared_counters_t>;

[[gnu::noinline]] void ask(std::pmr::memory_resource& r, std::size_t turns) {
  for (std::size_t i = 0; i < turns; ++i)
    (void)r.allocate(8 + i % 4 * 8, 8);
}

/// Through the interface on both ways.
[[gnu::noinline]] void pair(std::pmr::memory_resource& r, std::size_t turns) {
  for (std::size_t i = 0; i < turns; ++i)
    r.deallocate(r.allocate(32, 8), 32, 8);
}

template <class Adaptor>
void interface_of(std::size_t turns) {
  arena upstream{std::span{memory}};
  Adaptor adaptor{upstream};
  ask(adaptor, turns);
}

template <class Adaptor>
void pair_of(std::size_t turns) {
  arena upstream{std::span{memory}};
  Adaptor adaptor{upstream};
  pair(adaptor, turns);
}

const gate::row rows[]{
    {"adaptor that does nothing/interface", gate::do_allocate, interface_of<nothing>},
    {"counting_adaptor/interface", gate::do_allocate, interface_of<plain>},
    {"adaptor that does nothing/pair", gate::turn, pair_of<nothing>},
    {"counting_adaptor/pair", gate::turn, pair_of<plain>},
    {"counting_adaptor, shared/pair", gate::turn, pair_of<shared>},
};

} // namespace
