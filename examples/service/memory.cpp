#include "memory.hpp"

#include <allot/core/static_slot.hpp>

#include <algorithm>
#include <cstring>

namespace service {
namespace {

// All the memory that requests and pages will ever have: zero bytes in the program file, and no page of it in use before
// a request touches it.
constinit allot::static_slot<arena_pool, arena_pool::bytes, 4096> arena_memory;
constinit allot::static_slot<large_pool, large_pool::bytes, 4096> large_memory;
constinit allot::static_slot<page_pool, page_pool::bytes, 4096> page_memory;

constexpr std::string_view prefix = "tenant ";

// The names of the tenants' levels: records and reports keep pointers to them.
constinit std::array<std::array<char, 40>, most_tenants + 1> level_names{};

} // namespace

memory::memory(const options& chosen)
    : arenas_{arena_memory.claim("arenas")},
      large_{large_memory.claim("large")},
      pages_{page_memory.claim("pages")},
      process_{process_chain(arenas_, large_, chosen.budget)},
      request_budget_{chosen.request_budget} {
  for (const tenant_option& t : chosen.tenants)
    add_tenant(t.name, t.budget != 0 ? t.budget : chosen.tenant_budget);
  add_tenant("other", chosen.tenant_budget);
}

void memory::add_tenant(std::string_view id, std::size_t budget) {
  const std::size_t i = tenant_count_++;
  char* const name = level_names[i].data(); // the array's last byte stays zero: options allow 31 bytes
  std::copy(id.begin(), id.end(), std::copy(prefix.begin(), prefix.end(), name));
  tenants_[i] = {{name + prefix.size(), id.size()}, &levels_[i].emplace(process_, budget, name)};
}

const tenant& memory::find(std::string_view id) const noexcept {
  const auto list = tenants();
  const auto found = std::find_if(list.begin(), list.end() - 1, [&](const tenant& t) { return t.id == id; });
  return *found;
}

std::size_t memory::live_bytes() const noexcept { return process_.layer<1>().snapshot().live_bytes; }

} // namespace service
