#pragma once

#include <cstdio>
#include <cstring>
#include <span>

/// A program of a page has a section for each block of code that the page shows, and runs the one that is named.
///
///     void copies() {
///       //! [copies]
///       ...                      what docs/PAGE.md shows, word for word
///       //! [copies]
///     }
///
/// What stands in the markers may also be declarations before the function: the section of their name runs them.
namespace page {

enum class ends { well, by_abort };

struct section {
  const char* name;
  void (*run)();
  ends how = ends::well;
};

/// Without an argument it lists the sections, and how they end.
inline int run(int argc, char** argv, std::span<const section> sections) {
  std::setvbuf(stdout, nullptr, _IONBF, 0); // an abort loses what is in a buffer
  for (const section& s : sections) {
    if (argc < 2) std::printf("%s %s\n", s.name, s.how == ends::well ? "well" : "abort");
    if (argc == 2 && std::strcmp(argv[1], s.name) == 0) {
      s.run();
      return 0;
    }
  }
  if (argc < 2) return 0;
  std::fprintf(stderr, "%s has no section %s\n", argv[0], argv[1]);
  return 2;
}

} // namespace page
