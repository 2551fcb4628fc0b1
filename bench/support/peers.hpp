#pragma once

#include "subject.hpp"

#include <memory>
#include <string>
#include <vector>

namespace benchmark {
class State;
}

/// \file
/// Who is compared. A library has a translation unit of its own in support/peers, which is left out where the library is
/// missing, and which says what its classes can stand for:
///
///     auto monotonic(const bench::setting& s) { return std::pmr::monotonic_buffer_resource{...}; }
///     const bench::library here{"std", "12", {bench::peer_of<bench::part::growing, monotonic>()}};

namespace bench {

/// What a class can stand for.
enum class part {
  arena,       ///< bumps through `setting::buffer`
  growing,     ///< bumps through what it takes from upstream
  block_pool,  ///< blocks of `setting::block_bytes`, one thread
  pool,        ///< blocks of any size, one thread
  shared_pool, ///< blocks of any size, any thread
};

struct peer {
  part plays;
  const char* name; ///< the last part of the names of its rows; null stands for the library's
  std::unique_ptr<subject> (*make)(const setting&);
  void (*concrete)(benchmark::State&); ///< the workload of its part on the concrete type, or null
  bool asks_upstream = true;           ///< false where it takes memory behind our back
};

/// What a library has to show. Objects with static storage duration, one in each translation unit.
class library {
public:
  library(const char* name, std::string version, std::vector<peer> peers);

  const char* name;
  std::string version;
  std::vector<peer> peers;
};

/// The libraries that are built in, in the order of their names in `known_libraries`.
[[nodiscard]] std::vector<const library*> libraries();

/// Those who play `p`: the floor first, then allot, then the others.
[[nodiscard]] std::vector<peer> peers_for(part p);

/// Whether it is one of allot's classes.
[[nodiscard]] bool is_allot(const peer& p);

/// {"name": "version", or null where it is not built in}, as JSON.
void print_libraries();

} // namespace bench
