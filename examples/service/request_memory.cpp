#include "request_memory.hpp"

namespace service {
namespace {

template <class Level>
std::optional<allot::failure> shortage_of(const Level& level, std::size_t bytes) noexcept {
  const allot::limit_snapshot now = level.snapshot();
  if (now.used_bytes <= now.limit_bytes && bytes <= now.limit_bytes - now.used_bytes) return std::nullopt;
  return allot::failure{.reason = allot::failure_reason::budget_exceeded,
                        .resource = Level::class_name,
                        .name = level.name(),
                        .bytes = bytes,
                        .used = now.used_bytes,
                        .capacity = now.limit_bytes};
}

} // namespace

std::optional<allot::failure> request_memory::shortage(std::size_t bytes) const noexcept {
  if (!arena_ || bytes > static_capacity) return std::nullopt;
  const std::size_t chunk = request_blocks::rounded(bytes + chunk_footer);
  const tenant_level& tenant = *arena_->limit.upstream_resource();
  const process_level& process = *tenant.upstream_resource();
  if (const auto found = shortage_of(arena_->limit, chunk)) return found;
  if (const auto found = shortage_of(tenant, chunk)) return found;
  return shortage_of(process.layer<0>(), chunk);
}

} // namespace service
