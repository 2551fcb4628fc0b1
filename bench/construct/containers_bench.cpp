// Containers of std::pmr over a resource, fixed seeds. An item is an element.
//
// Over an arena, which is reset after each turn and keeps its memory where it can (std's and Boost's cannot: `release` gives
// their chunks back, unless the caller brings a buffer, as in the group arena):
//   arena_vector        push_back of 10,000 numbers, without reserve
//   arena_list          a list of 2,000
//   arena_map           a map of 2,000 random keys
//   arena_unordered_map the same, hashed
//   arena_strings       a vector of 1,000 strings of 16 to 60 characters
//   arena_tree          a binary tree of 4,000 nodes, built and dropped node by node
//   arena_wink_out      the strings, the map and the tree in one request, none of them destroyed: only the reset frees
//   arena_request       a small request: 20 strings and a map of 10, then reset. An item is a request
//
// Over a pool:
//   pool_list, pool_map, pool_unordered_map  built, half of it erased and put back, destroyed
//   pool_strings, pool_tree                  as above

#include "support/blocks.hpp"
#include "support/rows.hpp"

#include <benchmark/benchmark.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <list>
#include <map>
#include <memory_resource>
#include <new>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

namespace {

using any = std::pmr::memory_resource;
using checksum = std::uint64_t;

const std::vector<std::uint32_t> keys = bench::shuffled(2000);

/// Where a container is built, so that it can be left behind without being destroyed.
template <class T>
T& left_in(any& r) {
  return *::new (r.allocate(sizeof(T), alignof(T))) T(&r);
}

checksum fill_vector(any& r) {
  std::pmr::vector<int> v{&r};
  for (int i = 0; i < 10'000; ++i)
    v.push_back(i);
  return v.size() + static_cast<checksum>(v[5000]);
}

template <class Map>
void fill(Map& map) {
  for (const std::uint32_t key : keys)
    map.emplace(key, key);
}

template <class Map>
checksum sum(const Map& map) {
  checksum all = map.size();
  for (const auto& [key, value] : map)
    all += key ^ (value << 7);
  return all;
}

template <class Map>
checksum build_map(any& r) {
  Map map{&r};
  fill(map);
  return sum(map);
}

template <class Map>
checksum churn_map(any& r) {
  Map map{&r};
  fill(map);
  for (std::size_t i = 0; i < keys.size(); i += 2)
    map.erase(keys[i]);
  fill(map);
  return sum(map);
}

using ordered = std::pmr::map<std::uint64_t, std::uint64_t>;
using hashed = std::pmr::unordered_map<std::uint64_t, std::uint64_t>;
using numbers = std::pmr::list<std::uint64_t>;

void fill(numbers& list) { list.assign(keys.begin(), keys.end()); }

checksum sum(const numbers& list) {
  checksum all = 0;
  for (const std::uint64_t number : list)
    all = all * 31 + number;
  return all;
}

checksum build_list(any& r) {
  numbers list{&r};
  fill(list);
  return sum(list);
}

checksum churn_list(any& r) {
  numbers list{&r};
  fill(list);
  for (auto each = list.begin(); each != list.end(); ++each)
    each = list.erase(each);
  for (std::size_t i = 0; i < keys.size(); i += 2)
    list.push_front(keys[i]);
  return sum(list);
}

using strings = std::pmr::vector<std::pmr::string>;

void fill(strings& all, std::size_t count) {
  for (std::size_t i = 0; i < count; ++i)
    all.emplace_back(16 + keys[i] % 45, static_cast<char>('a' + i % 26));
}

checksum sum(const strings& all) {
  checksum total = 0;
  for (const auto& one : all)
    total = total * 31 + one.size() + static_cast<checksum>(one.back());
  return total;
}

checksum build_strings(any& r) {
  strings all{&r};
  fill(all, 1000);
  return sum(all);
}

/// A tree without balance and without a container: what a parser builds.
struct tree_node {
  tree_node* left;
  tree_node* right;
  std::uint64_t number;
};

tree_node* build_nodes(any& r, std::uint64_t number, unsigned depth) {
  if (depth == 0) return nullptr;
  auto* const node = ::new (r.allocate(sizeof(tree_node), alignof(tree_node))) tree_node{};
  node->number = number;
  node->left = build_nodes(r, 2 * number, depth - 1);
  node->right = build_nodes(r, 2 * number + 1, depth - 1);
  return node;
}

checksum sum_of_tree(const tree_node* node) {
  return node == nullptr ? 0 : node->number + 3 * sum_of_tree(node->left) + 5 * sum_of_tree(node->right);
}

void drop(any& r, tree_node* node) {
  if (node == nullptr) return;
  drop(r, node->left);
  drop(r, node->right);
  r.deallocate(node, sizeof *node, alignof(tree_node));
}

constexpr unsigned tree_depth = 12; // 4,095 nodes

checksum build_tree(any& r) {
  tree_node* const root = build_nodes(r, 1, tree_depth);
  const checksum all = sum_of_tree(root);
  drop(r, root);
  return all;
}

checksum wink_out(any& r) {
  auto& all = left_in<strings>(r);
  fill(all, 1000);
  auto& map = left_in<ordered>(r);
  fill(map);
  return sum(all) + sum(map) + sum_of_tree(build_nodes(r, 1, tree_depth));
}

checksum small_request(any& r) {
  strings all{&r};
  fill(all, 20);
  ordered map{&r};
  for (std::size_t i = 0; i < 10; ++i)
    map.emplace(keys[i], i);
  return sum(all) + sum(map);
}

struct workload {
  const char* name;
  checksum (*run)(any&);
  std::size_t items;
};

const workload in_arenas[]{
    {"arena_vector", fill_vector, 10'000},
    {"arena_list", build_list, 2000},
    {"arena_map", build_map<ordered>, 2000},
    {"arena_unordered_map", build_map<hashed>, 2000},
    {"arena_strings", build_strings, 1000},
    {"arena_tree", build_tree, 4095},
    {"arena_wink_out", wink_out, 1000 + 2000 + 4095},
    {"arena_request", small_request, 1},
};

const workload in_pools[]{
    {"pool_list", churn_list, 3000},
    {"pool_map", churn_map<ordered>, 3000},
    {"pool_unordered_map", churn_map<hashed>, 3000},
    {"pool_strings", build_strings, 1000},
    {"pool_tree", build_tree, 4095},
};

/// Twice, so that what was kept is used again; held against what new and delete give.
bool is_right(const workload& w, bench::subject& subject, any& r, bool resets) {
  std::pmr::monotonic_buffer_resource reference;
  const checksum expected = w.run(reference);
  for (int turn = 0; turn < 2; ++turn) {
    if (w.run(r) != expected) return false;
    if (resets) subject.reset();
  }
  return true;
}

void time_containers(benchmark::State& state, const workload& w, const bench::peer& who) {
  const bool resets = who.plays == bench::part::growing;
  const auto subject = who.make({});
  any* r = &subject->resource();
  benchmark::DoNotOptimize(r);
  if (!is_right(w, *subject, *r, resets))
    return state.SkipWithError("the containers hold something else than they were given");
  for (auto _ : state) {
    benchmark::DoNotOptimize(w.run(*r));
    if (resets) subject->reset();
  }
  state.SetItemsProcessed(state.iterations() * static_cast<std::int64_t>(w.items));
}

bench::peer only_peer(bench::part part, std::string_view name) {
  const auto peers = peers_for(part);
  return *std::find_if(peers.begin(), peers.end(), [name](const bench::peer& one) { return one.name == name; });
}

void add(std::vector<bench::row>& rows, const workload& w, bench::part part) {
  for (bench::peer who : peers_for(part)) {
    const std::string_view name = who.name;
    if (name.find("floor") == 0) continue;                         // it knows small blocks only
    if (name.find("MinAlign") != std::string_view::npos) continue; // containers align to 8 anyway
    if (name == "malloc" && w.run != wink_out) who = only_peer(bench::part::pool, "malloc"); // frees when it is told to
    rows.push_back({std::string{"containers/"} + w.name + '/' + who.name,
                    [w, who](benchmark::State& state) { time_containers(state, w, who); },
                    [w, who] {
                      return bench::weigh(who, {},
                                          [&w](bench::subject&, any& r) { benchmark::DoNotOptimize(w.run(r)); });
                    }});
  }
}

void add_all(std::vector<bench::row>& rows) {
  for (const workload& w : in_arenas)
    add(rows, w, bench::part::growing);
  for (const workload& w : in_pools)
    add(rows, w, bench::part::pool);
}

const bench::group here{"containers", add_all};

} // namespace
