// The least that a virtual bump and an inlined free list can do.

#include "support/free_list.hpp"
#include "support/peer_of.hpp"

#include <cstddef>
#include <memory_resource>
#include <span>

namespace {

/// One subtract and one store; it never looks where it is, nor at an alignment.
class least_bump final : public std::pmr::memory_resource {
public:
  explicit least_bump(std::span<std::byte> bytes) noexcept : end_{bytes.data() + bytes.size()}, cursor_{end_} {}
  void reset() noexcept { cursor_ = end_; }

private:
  void* do_allocate(std::size_t bytes, std::size_t) override { return cursor_ -= bytes; }
  void do_deallocate(void*, std::size_t, std::size_t) override {}
  [[nodiscard]] bool do_is_equal(const memory_resource& other) const noexcept override { return this == &other; }

  std::byte* end_;
  std::byte* cursor_;
};

auto least(const bench::setting& s) { return least_bump{s.buffer}; }
auto one_list(const bench::setting& s) { return bench::one_free_list{s.upstream}; }
auto lists(const bench::setting& s) { return bench::free_lists{s.upstream}; }

using enum bench::part;
const bench::library here{"floor",
                          "",
                          {bench::peer_of<arena, least>(), bench::peer_of<block_pool, one_list>(),
                           bench::peer_of<pool, lists>(), bench::peer_of<block_pool, one_list>("floor, virtual"),
                           bench::peer_of<pool, lists>("floor, virtual")}};

} // namespace
