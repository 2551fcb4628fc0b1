#include "memory.hpp"

#include <algorithm>

namespace schedule {
namespace {

constexpr std::size_t most_visible = 6;

bool acquires(int order) noexcept {
  return order == __ATOMIC_ACQUIRE || order == __ATOMIC_CONSUME || order == __ATOMIC_ACQ_REL ||
         order == __ATOMIC_SEQ_CST;
}

bool releases(int order) noexcept {
  return order == __ATOMIC_RELEASE || order == __ATOMIC_ACQ_REL || order == __ATOMIC_SEQ_CST;
}

} // namespace

memory::location& memory::at(const volatile void* p, std::uint64_t newest) {
  location& l = locations_[reinterpret_cast<std::uintptr_t>(p)];
  if (l.stores.empty()) l.stores.push_back({newest, {}, {}, false});
  return l;
}

void memory::forget(const volatile void* p, std::size_t bytes) noexcept {
  const auto begin = reinterpret_cast<std::uintptr_t>(p);
  std::erase_if(locations_, [&](const auto& l) { return l.first >= begin && l.first < begin + bytes; });
}

std::size_t memory::visible(const volatile void* p, std::uint64_t newest, std::size_t thread, const clock& seen,
                            int order) {
  const location& l = at(p, newest);
  std::size_t oldest = l.stores.size() - std::min(l.stores.size(), most_visible);
  for (std::size_t i = l.stores.size() - 1; i > oldest; --i) {
    const stored& s = l.stores[i];
    if (seen.knows(s.made) || (order == __ATOMIC_SEQ_CST && s.is_sequential)) oldest = i;
  }
  for (const found& f : l.loads)
    if (f.when.thread == thread || seen.knows(f.when)) oldest = std::max(oldest, f.index);
  return l.stores.size() - oldest;
}

std::uint64_t memory::value(const volatile void* p, std::size_t age) const {
  const location& l = locations_.at(reinterpret_cast<std::uintptr_t>(p));
  return l.stores[l.stores.size() - 1 - age].value;
}

std::uint64_t memory::load(const volatile void* p, std::size_t age, std::size_t thread, clock& seen, int order) {
  location& l = locations_.at(reinterpret_cast<std::uintptr_t>(p));
  const std::size_t index = l.stores.size() - 1 - age;
  const stored& s = l.stores[index];
  // One entry for each value found is enough: the first time it was.
  if (l.loads.empty() || l.loads.back().index != index || l.loads.back().when.thread != thread)
    l.loads.push_back({{thread, seen.of(thread)}, index});
  if (acquires(order)) seen.join(s.released);
  return s.value;
}

void memory::store(const volatile void* p, std::uint64_t before, std::uint64_t value, std::size_t thread,
                   const clock& seen, int order) {
  at(p, before).stores.push_back(
      {value, {thread, seen.of(thread)}, releases(order) ? seen : clock{}, order == __ATOMIC_SEQ_CST});
}

void memory::change(const volatile void* p, std::uint64_t before, std::uint64_t value, std::size_t thread, clock& seen,
                    int order) {
  const clock released = at(p, before).stores.back().released;
  load(p, 0, thread, seen, order);
  store(p, before, value, thread, seen, order);
  at(p, before).stores.back().released.join(released); // a release sequence goes on
}

} // namespace schedule
