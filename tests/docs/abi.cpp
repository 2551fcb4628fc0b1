// What docs/abi.md shows.

#include "page.hpp"

#include <allot/core/config.hpp>

#include <cstdio>

namespace {

//! [version]
static_assert(ALLOT_VERSION >= 100, "allot 0.1.0 or later"); // 10000 * major + 100 * minor + patch

#define TEXT_OF(name) #name
#define NAME_OF(macro) TEXT_OF(macro)

void version() { std::printf("%d.%d, in %s\n", ALLOT_VERSION_MAJOR, ALLOT_VERSION_MINOR, NAME_OF(ALLOT_ABI)); }
//! [version]

} // namespace

int main(int argc, char** argv) { return page::run(argc, argv, {{{"version", version}}}); }
