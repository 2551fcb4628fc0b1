#include "peers.hpp"

#include <algorithm>
#include <cstdio>
#include <cstring>
#include <iterator>

namespace bench {

namespace {

constexpr const char* known_libraries[] = {"floor",     "allot", "std",  "boost",    "boost_json",
                                           "foonathan", "tbb",   "llvm", "protobuf", "malloc"};

std::vector<const library*>& built_in() {
  static std::vector<const library*> all;
  return all;
}

std::ptrdiff_t place_of(const char* name) {
  return std::find_if(std::begin(known_libraries), std::end(known_libraries),
                      [name](const char* known) { return std::strcmp(known, name) == 0; }) -
         std::begin(known_libraries);
}

} // namespace

library::library(const char* its_name, std::string its_version, std::vector<peer> its_peers)
    : name{its_name}, version{std::move(its_version)}, peers{std::move(its_peers)} {
  for (peer& p : peers) {
    if (p.name == nullptr) p.name = name;
  }
  built_in().push_back(this);
}

std::vector<const library*> libraries() {
  std::vector<const library*> all = built_in();
  std::sort(all.begin(), all.end(),
            [](const library* a, const library* b) { return place_of(a->name) < place_of(b->name); });
  return all;
}

std::vector<peer> peers_for(part p) {
  std::vector<peer> found;
  for (const library* lib : libraries())
    std::copy_if(lib->peers.begin(), lib->peers.end(), std::back_inserter(found),
                 [p](const peer& one) { return one.plays == p; });
  return found;
}

bool is_allot(const peer& p) { return std::strstr(p.name, "_resource") != nullptr; }

void print_libraries() {
  const auto all = libraries();
  const char* separator = "{";
  for (const char* name : known_libraries) {
    const auto lib =
        std::find_if(all.begin(), all.end(), [name](const library* one) { return std::strcmp(one->name, name) == 0; });
    if (lib == all.end()) {
      std::printf("%s\"%s\": null", separator, name);
    } else {
      std::printf("%s\"%s\": \"%s\"", separator, name, (*lib)->version.c_str());
    }
    separator = ", ";
  }
  std::puts("}");
}

} // namespace bench
