// Failures, of which a program meets one. failures_test.py compiles this once and chooses at link time:
// `-Wl,--defsym=chosen_case=N,--defsym=chosen_handler=M`.

#include <allot/adaptor/limit_adaptor.hpp>
#include <allot/arena/static_arena.hpp>
#include <allot/core/failure.hpp>
#include <allot/core/once.hpp>
#include <allot/core/static_slot.hpp>
#include <allot/pool/block_pool_resource.hpp>
#include <allot/source/null_resource.hpp>
#include <allot/source/static_buffer.hpp>

#include <board/board.hpp>

#include <cstddef>
#include <cstdint>

constinit allot::static_arena<256> log_memory;
constinit allot::static_buffer<128> frames;
constinit allot::static_slot<allot::block_pool_resource<16>, 40> nodes;
constinit allot::once<int> settings;

extern "C" const std::byte chosen_case[], chosen_handler[]; // the addresses are the numbers

namespace {

void exhaust_an_arena() {
  allot::bump_resource<>& arena = log_memory.claim("log");
  (void)arena.allocate(200, 4);
  (void)arena.allocate(100, 8);
}

void exhaust_a_pool() {
  allot::resource& pool = nodes.claim("nodes");
  for (int i = 0; i < 3; ++i)
    (void)pool.allocate(16, 8);
}

void claim_an_arena_twice() {
  (void)log_memory.claim("log");
  (void)log_memory.claim("trace");
}

void claim_a_buffer_twice() {
  (void)frames.claim("rx");
  (void)frames.claim("tx");
}

void ask_over_budget() {
  allot::limit_adaptor capped{log_memory.claim("log"), 100, "radio"};
  (void)capped.allocate(50, 1);
  (void)capped.allocate(60, 4);
}

void read_too_early() { board::exit(*settings); }

void give_back_what_was_never_given() { allot::null_resource{}.deallocate(&log_memory, 24, 8); }

void give_an_arena_a_wrong_size() {
  allot::bump_resource<>& arena = log_memory.claim("log");
  arena.deallocate(arena.allocate(16, 4), 300, 4);
}

void give_a_pool_a_foreign_block() {
  alignas(8) std::byte elsewhere[16];
  nodes.claim("nodes").deallocate(elsewhere, 16, 8);
}

/// The exit status tells the reason, the console the rest.
void say_and_exit(const allot::failure& what) noexcept {
  static char line[512];
  allot::describe(what, line);
  board::write(line);
  board::write("\n");
  board::exit(40 + static_cast<int>(what.reason));
}

void say_and_return(const allot::failure& what) noexcept {
  board::write(what.resource);
  board::write("\n");
}

constexpr void (*cases[])() = {
    exhaust_an_arena,
    exhaust_a_pool,
    claim_an_arena_twice,
    claim_a_buffer_twice,
    ask_over_budget,
    read_too_early,
    give_back_what_was_never_given,
    give_an_arena_a_wrong_size,
    give_a_pool_a_foreign_block,
};
constexpr allot::failure_handler handlers[] = {nullptr, say_and_exit, say_and_return};

} // namespace

int main() {
  allot::set_failure_handler(handlers[reinterpret_cast<std::uintptr_t>(chosen_handler)]);
  cases[reinterpret_cast<std::uintptr_t>(chosen_case)]();
  board::write("went on\n");
  return 0;
}
