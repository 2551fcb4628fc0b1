#pragma once

#include "memory.hpp"
#include "plain_new.hpp"

#include <allot/core/failure.hpp>
#include <allot/core/resource.hpp>
#include <allot/interop/boost.hpp>

#include <cstddef>
#include <optional>

#include <boost/json/storage_ptr.hpp>

/// Blocks of an arena need no deallocation: Boost.JSON then takes no value apart that is about to go with its arena.
template <>
struct boost::json::is_deallocate_trivial<allot::boost_adaptor<service::request_arena>> {
  static constexpr bool value = true;
};

namespace service {

/// A request's own memory, for as long as the request lasts: an arena under the request's, its tenant's and the process's
/// budget, or plain new.
///
/// An arena's first chunk is a whole block of the `arena_pool`, the next ones double.
class request_memory {
public:
  /// Allocates nothing yet.
  request_memory(memory_mode mode, const tenant& whose, std::size_t budget) noexcept {
    if (mode == memory_mode::allot) arena_.emplace(*whose.level, budget);
  }

  /// For the body and for containers.
  [[nodiscard]] allot::resource& resource() noexcept {
    return arena_ ? static_cast<allot::resource&>(arena_->arena) : plain_;
  }

  /// For Boost.JSON: its own default is plain new, too.
  [[nodiscard]] boost::json::storage_ptr json_storage() noexcept {
    return arena_ ? boost::json::storage_ptr{&arena_->boost} : boost::json::storage_ptr{};
  }

  /// After `resource().try_allocate(bytes)` gave null: the record that `allocate` would raise, found without an exception,
  /// which would call malloc. Nothing where each level has room by now.
  [[nodiscard]] std::optional<allot::failure> shortage(std::size_t bytes) const noexcept;

private:
  struct layers {
    layers(tenant_level& tenant, std::size_t budget) noexcept : limit{tenant, budget, request_level_name} {}

    request_level limit;
    request_blocks blocks{limit};
    request_arena arena{first_chunk, blocks, "request"};
    allot::boost_adaptor<request_arena> boost{arena};
  };

  static constexpr std::size_t chunk_footer = 4 * sizeof(void*); // what a chunk keeps about itself
  static constexpr std::size_t first_chunk = arena_bytes - chunk_footer;

  std::optional<layers> arena_;
  plain_new plain_;
};

} // namespace service
