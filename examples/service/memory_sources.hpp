#pragma once

#include "memory.hpp"

#include <allot/report/source.hpp>

#include <array>
#include <span>

#include <boost/container/static_vector.hpp>

namespace service {

/// The levels as allot's reports take them: the process and all below it, the budget of each tenant, the pages' memory.
/// The tenants' figures are taken at construction, so that a report does not walk from each of them to the process again.
///
/// Labels: `part` is "process", "tenant" or "pages"; `tenant` is the tenant, of those.
class memory_sources {
public:
  explicit memory_sources(const memory& m) noexcept {
    all_.push_back({m.process(), {{"part", "process"}}});
    for (const tenant& t : m.tenants()) {
      const allot::limit_snapshot& now = tenants_[all_.size() - 1] = t.level->snapshot();
      all_.push_back({now, {{"part", "tenant"}, {"tenant", t.id}}});
    }
    all_.push_back({m.pages(), {{"part", "pages"}}});
  }
  memory_sources(const memory_sources&) = delete;
  memory_sources& operator=(const memory_sources&) = delete;

  [[nodiscard]] std::span<const allot::report::source> all() const noexcept { return {all_.data(), all_.size()}; }

private:
  std::array<allot::limit_snapshot, most_tenants + 1> tenants_;
  boost::container::static_vector<allot::report::source, most_tenants + 3> all_;
};

} // namespace service
