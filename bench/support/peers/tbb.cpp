// TBB's scalable allocator, as the std::pmr::memory_resource that TBB makes of it. There is one in a process: nothing gives
// all of its blocks back.

#include "support/peers.hpp"

#include <tbb/scalable_allocator.h>
#include <tbb/version.h>

#include <memory>
#include <memory_resource>
#include <string>

namespace {

class scalable final : public bench::subject {
public:
  [[nodiscard]] std::pmr::memory_resource& resource() noexcept override { return *tbb::scalable_memory_resource(); }
  void reset() override {}
};

bench::peer as(bench::part p) {
  return {p, nullptr,
          [](const bench::setting&) -> std::unique_ptr<bench::subject> { return std::make_unique<scalable>(); },
          nullptr, false};
}

using enum bench::part;
const bench::library here{"tbb",
                          std::to_string(TBB_VERSION_MAJOR) + '.' + std::to_string(TBB_VERSION_MINOR),
                          {as(block_pool), as(pool), as(shared_pool)}};

} // namespace
