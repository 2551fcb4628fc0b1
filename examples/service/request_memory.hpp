#pragma once

#include "memory.hpp"

#include <allot/interop/boost.hpp>

#include <memory_resource>
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

  /// For containers.
  [[nodiscard]] std::pmr::memory_resource& resource() noexcept {
    return arena_ ? static_cast<std::pmr::memory_resource&>(arena_->arena) : *std::pmr::new_delete_resource();
  }

  /// For Boost.JSON: its own default is plain new, too.
  [[nodiscard]] boost::json::storage_ptr json_storage() noexcept {
    return arena_ ? boost::json::storage_ptr{&arena_->boost} : boost::json::storage_ptr{};
  }

private:
  struct layers {
    layers(tenant_level& tenant, std::size_t budget) noexcept : limit{tenant, budget, request_level_name} {}

    request_level limit;
    request_arena arena{first_chunk, limit, "request"};
    allot::boost_adaptor<request_arena> boost{arena};
  };

  /// The room of a chunk that is one block of the pool: a chunk's footer has four words.
  static constexpr std::size_t first_chunk = arena_bytes - 4 * sizeof(void*);

  std::optional<layers> arena_;
};

} // namespace service
