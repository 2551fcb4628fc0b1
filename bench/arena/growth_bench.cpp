// Growing from nothing over new and delete, and giving everything back at the end. An item is one allocation; malloc's includes
// its free.
//
//   1MiB_of_32B           32,768 blocks of 32 bytes from an arena, which are not written to
//   concrete_1MiB_of_32B  the same with the arena known by its type
//   100k_nodes            a list of 100,000 nodes of 32 bytes, written to, from an arena
//   pool_100k_nodes       the same from a pool, which is destroyed with the nodes in it; where nothing gives all blocks back at
//                         once they are freed one by one
//
// The floor of the first two is a monotonic_resource that takes one chunk of 1 MiB at the start: what not having to grow costs.

#include <allot/arena/monotonic_resource.hpp>

#include "support/arena_work.hpp"
#include "support/rows.hpp"

#include <benchmark/benchmark.h>

#include <cstddef>
#include <cstdint>
#include <memory_resource>
#include <string>
#include <string_view>
#include <vector>

namespace {

using any = std::pmr::memory_resource;

struct list_node {
  list_node* next;
  std::size_t number;
  std::size_t unused;
  std::size_t number_again; // at its end, where a neighbour that is too near would write
};
constexpr std::size_t node_count = 100'000;

list_node* list_of_nodes(any& r) {
  list_node* head = nullptr;
  for (std::size_t i = 0; i < node_count; ++i)
    head = ::new (r.allocate(sizeof(list_node), alignof(list_node))) list_node{head, i, 0, i};
  return head;
}

bool is_whole(const list_node* head) {
  std::size_t expected = node_count;
  for (; head != nullptr; head = head->next) {
    if (head->number != --expected || head->number_again != expected) return false;
  }
  return expected == 0;
}

void drop(list_node* head, any& r) {
  while (head != nullptr) {
    list_node* const next = head->next;
    r.deallocate(head, sizeof(list_node), alignof(list_node));
    head = next;
  }
}

/// Frees the nodes one by one where destroying the subject would not.
bool must_drop(const bench::peer& who) { return who.plays == bench::part::block_pool && !who.asks_upstream; }

void time_blocks(benchmark::State& state, const bench::peer& who) {
  for (auto _ : state) {
    const auto subject = who.make({});
    any* r = &subject->resource();
    benchmark::DoNotOptimize(r);
    bench::grow(*r);
  }
  if (const auto subject = who.make({}); !bench::grows_well(subject->resource()))
    state.SkipWithError("a block is not aligned or not the caller's own");
  state.SetItemsProcessed(state.iterations() * static_cast<std::int64_t>(bench::grown_blocks));
}

void time_nodes(benchmark::State& state, const bench::peer& who) {
  const bench::setting setting{.block_bytes = sizeof(list_node)};
  for (auto _ : state) {
    const auto subject = who.make(setting);
    any* r = &subject->resource();
    benchmark::DoNotOptimize(r);
    list_node* const head = list_of_nodes(*r);
    if (must_drop(who)) drop(head, *r);
  }
  const auto subject = who.make(setting);
  list_node* const head = list_of_nodes(subject->resource());
  if (!is_whole(head)) state.SkipWithError("a node was overwritten");
  if (must_drop(who)) drop(head, subject->resource());
  state.SetItemsProcessed(state.iterations() * static_cast<std::int64_t>(node_count));
}

bench::footprint weigh_blocks(const bench::peer& who) {
  return bench::weigh(who, {}, [](bench::subject&, any& r) { bench::grow(r); });
}

bench::footprint weigh_nodes(const bench::peer& who) {
  return bench::weigh(who, {.block_bytes = sizeof(list_node)}, [&who](bench::subject&, any& r) {
    list_node* const head = list_of_nodes(r);
    if (must_drop(who)) drop(head, r);
  });
}

auto one_chunk(const bench::setting& s) { return allot::monotonic_resource<>{bench::grown_blocks * 32, s.upstream}; }

void add_nodes(std::vector<bench::row>& rows, const std::string& workload, bench::part part) {
  for (const bench::peer& who : peers_for(part)) {
    rows.push_back({"growth/" + workload + '/' + who.name, [who](benchmark::State& state) { time_nodes(state, who); },
                    [who] { return weigh_nodes(who); }});
  }
}

void add_all(std::vector<bench::row>& rows) {
  const bench::peer never_grows{bench::part::growing, "floor",
                                [](const bench::setting& s) -> std::unique_ptr<bench::subject> {
                                  return std::make_unique<bench::subject_of<one_chunk>>(s);
                                },
                                bench::concrete_growth<one_chunk>};
  auto arenas = peers_for(bench::part::growing);
  arenas.insert(arenas.begin(), never_grows);
  for (const bench::peer& who : arenas) {
    rows.push_back({std::string{"growth/1MiB_of_32B/"} + who.name,
                    [who](benchmark::State& state) { time_blocks(state, who); }, [who] { return weigh_blocks(who); }});
  }
  for (const bench::peer& who : arenas)
    rows.push_back(
        {std::string{"growth/concrete_1MiB_of_32B/"} + who.name, who.concrete, [who] { return weigh_blocks(who); }});
  add_nodes(rows, "100k_nodes", bench::part::growing);
  add_nodes(rows, "pool_100k_nodes", bench::part::block_pool);
}

const bench::group here{"growth", add_all};

} // namespace
