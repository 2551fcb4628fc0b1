// protobuf's arena, over a first block of the caller's. It aligns everything to 8, and any thread may use it.

#include "support/peer_of.hpp"

#include <google/protobuf/arena.h>

#include <cstddef>
#include <span>
#include <string>

namespace {

class arena_of {
public:
  explicit arena_of(std::span<std::byte> buffer) : arena_{reinterpret_cast<char*>(buffer.data()), buffer.size()} {}
  arena_of() = default;

  void* allocate(std::size_t bytes, std::size_t alignment) { return arena_.AllocateAligned(bytes, alignment); }
  static void deallocate(void*, std::size_t, std::size_t) noexcept {}
  void reset() { arena_.Reset(); }

private:
  google::protobuf::Arena arena_;
};

auto buffered(const bench::setting& s) { return arena_of{s.buffer}; }
auto growing_arena(const bench::setting&) { return arena_of{}; }

const std::string version = std::to_string(GOOGLE_PROTOBUF_VERSION / 1'000'000) + '.' +
                            std::to_string(GOOGLE_PROTOBUF_VERSION / 1000 % 1000) + '.' +
                            std::to_string(GOOGLE_PROTOBUF_VERSION % 1000);

using enum bench::part;
const bench::library here{
    "protobuf", version, {bench::peer_of<arena, buffered>(), bench::peer_without_upstream<growing, growing_arena>()}};

} // namespace
