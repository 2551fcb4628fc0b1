// What docs/migrating.md shows of Boost.Container.

#include "page.hpp"

#include <allot/allot.hpp>
#include <allot/interop/boost.hpp>

#include <cstddef>
#include <cstdio>
#include <memory_resource>

#include <boost/container/flat_map.hpp>
#include <boost/container/pmr/flat_map.hpp>
#include <boost/container/pmr/monotonic_buffer_resource.hpp>
#include <boost/container/pmr/string.hpp>

#pragma GCC diagnostic ignored "-Warray-bounds" // g++ 12 at -O3, of the short text inside of Boost's string

namespace {

const char* const text = "characters that do not fit into the string object";

void boost_before() {
  //! [boost_before]
  boost::container::pmr::monotonic_buffer_resource arena;
  boost::container::pmr::flat_map<int, boost::container::pmr::string> names{&arena};
  names.try_emplace(1, text); // how much did that take? there is no way to ask
  std::printf("%zu name\n", names.size());
  //! [boost_before]
}

void boost_after() {
  //! [boost_after]
  allot::malloc_resource heap;
  allot::monotonic_resource arena{heap};
  allot::boost_pmr::flat_map<int, std::pmr::string> names{&arena}; // keys, values and their text
  names.try_emplace(1, text);
  std::printf("%zu name, %zu bytes of the arena\n", names.size(), arena.used());
  //! [boost_after]
}

void boost_kept() {
  //! [boost_kept]
  allot::malloc_resource heap;
  allot::counting_adaptor counted{heap};
  auto for_boost = allot::as_boost(counted); // a boost::container::pmr::memory_resource
  boost::container::pmr::string kept{text, &for_boost};
  std::printf("%zu block of %zu bytes\n", counted.snapshot().live_blocks, counted.used());
  //! [boost_kept]
}

} // namespace

int main(int argc, char** argv) {
  return page::run(argc, argv,
                   {{{"boost_before", boost_before}, {"boost_after", boost_after}, {"boost_kept", boost_kept}}});
}
