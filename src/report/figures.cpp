#include <allot/report/figures.hpp>

namespace allot::inline ALLOT_ABI::report {
namespace {

constexpr std::array<figure_words, figure_count> words{{
    {figure::used_bytes, "used_bytes", "used", "bytes", false, "Bytes in use."},
    {figure::peak_bytes, "peak_bytes", "peak", "bytes", false, "The most bytes that were in use at once."},
    {figure::limit_bytes, "limit_bytes", "limit", "bytes", false, "The most bytes that may be in use at once."},
    {figure::headroom_bytes, "headroom_bytes", "headroom", "bytes", false, "Bytes left below the limit."},
    {figure::capacity_bytes, "capacity_bytes", "capacity", "bytes", false, "Bytes of memory that the resource has."},
    {figure::reserved_bytes, "reserved_bytes", "reserved", "bytes", false,
     "Bytes taken from upstream and not given back."},
    {figure::used_blocks, "used_blocks", "blocks", "blocks", false, "Blocks in use."},
    {figure::peak_blocks, "peak_blocks", "peak blocks", "blocks", false, "The most blocks that were in use at once."},
    {figure::limit_blocks, "limit_blocks", "limit blocks", "blocks", false,
     "The most blocks that may be in use at once."},
    {figure::largest_block_bytes, "largest_block_bytes", "largest block", "bytes", false,
     "Size of the largest block ever given out."},
    {figure::allocated_bytes, "allocated_bytes", "allocated", "bytes", true, "Bytes of all blocks ever given out."},
    {figure::allocations, "allocations", "allocations", "", true, "Blocks given out."},
    {figure::deallocations, "deallocations", "deallocations", "", true, "Blocks that came back."},
    {figure::failures, "failures", "failures", "", true, "Requests that upstream could not serve."},
    {figure::refusals, "refusals", "refusals", "", true, "Requests refused because of the limit."},
}};

consteval bool are_in_order() {
  for (std::size_t i = 0; i < words.size(); ++i) {
    if (words[i].which != static_cast<figure>(i)) return false;
  }
  return true;
}
static_assert(are_in_order());

} // namespace

std::span<const figure_words, figure_count> all_figures() noexcept { return words; }

} // namespace allot::inline ALLOT_ABI::report
