// The arenas' fast paths: through `memory_resource*`, and inlined into a loop that links nodes of 24 bytes.

#include "gate/gate.hpp"

#include <allot/arena/bump_resource.hpp>
#include <allot/arena/monotonic_resource.hpp>

#include <cstddef>
#include <memory_resource>
#include <new>
#include <span>

namespace {

constexpr std::size_t room = gate::most_turns * 64;
alignas(64) std::byte memory[room];

struct node {
  node* next;
  std::size_t value;
  std::size_t more;
};

[[gnu::noinline]] void ask(std::pmr::memory_resource& r, std::size_t turns) {
  for (std::size_t i = 0; i < turns; ++i)
    (void)r.allocate(8 + i % 4 * 8, 8);
}

template <class Arena>
[[gnu::noinline]] node* link(Arena& arena, std::size_t turns) {
  node* head = nullptr;
  for (std::size_t i = 0; i < turns; ++i)
    head = ::new (arena.allocate(sizeof(node), alignof(node))) node{head, i, 0};
  return head;
}

template <class Arena>
void interface_of(std::size_t turns) {
  Arena arena{std::span{memory}};
  ask(arena, turns);
}

template <class Arena>
void loop_of(std::size_t turns) {
  Arena arena{std::span{memory}};
  (void)link(arena, turns);
}

/// The loop alone: its nodes lie side by side.
[[gnu::noinline]] node* link_array(node* next, std::size_t turns) {
  node* head = nullptr;
  for (std::size_t i = 0; i < turns; ++i)
    head = ::new (next++) node{head, i, 0};
  return head;
}

void array_loop(std::size_t turns) { (void)link_array(reinterpret_cast<node*>(memory), turns); }

template <std::size_t MinAlign>
struct monotonic : allot::monotonic_resource<std::pmr::memory_resource, MinAlign> {
  explicit monotonic(std::span<std::byte> bytes) noexcept
      : allot::monotonic_resource<std::pmr::memory_resource, MinAlign>{bytes.data(), bytes.size()} {}
};

struct std_monotonic : std::pmr::monotonic_buffer_resource {
  explicit std_monotonic(std::span<std::byte> bytes) noexcept : monotonic_buffer_resource{bytes.data(), bytes.size()} {}
};

template <std::size_t MinAlign>
void owned_loop(std::size_t turns) {
  static allot::bump_resource<room, MinAlign> arena;
  arena.reset();
  (void)link(arena, turns);
}

using span_bump = allot::bump_resource<>;
using span_bump8 = allot::bump_resource<std::dynamic_extent, 8>;

const gate::row rows[] = {
    {"bump_resource/interface", gate::do_allocate, interface_of<span_bump>},
    {"bump_resource, MinAlign 8/interface", gate::do_allocate, interface_of<span_bump8>},
    {"monotonic_resource/interface", gate::do_allocate, interface_of<monotonic<1>>},
    {"monotonic_resource, MinAlign 8/interface", gate::do_allocate, interface_of<monotonic<8>>},
    {"std monotonic_buffer_resource/interface", gate::do_allocate, interface_of<std_monotonic>},
    {"no allocation/loop", gate::turn, array_loop},
    {"bump_resource<N>/loop", gate::turn, owned_loop<1>},
    {"bump_resource<N>, MinAlign 8/loop", gate::turn, owned_loop<8>},
    {"bump_resource<>/loop", gate::turn, loop_of<span_bump>},
    {"bump_resource<>, MinAlign 8/loop", gate::turn, loop_of<span_bump8>},
    {"monotonic_resource/loop", gate::turn, loop_of<monotonic<1>>},
    {"monotonic_resource, MinAlign 8/loop", gate::turn, loop_of<monotonic<8>>},
    {"std monotonic_buffer_resource/loop", gate::turn, loop_of<std_monotonic>},
};

} // namespace
