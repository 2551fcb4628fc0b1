// Runs a target on each file named, or in a folder named: the corpus as a test, for every compiler and sanitizer.

#include "target.hpp"

#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <vector>

namespace {

namespace fs = std::filesystem;

std::vector<fs::path> files_of(int argc, char** argv) {
  std::vector<fs::path> all;
  for (int i = 1; i < argc; ++i) {
    std::error_code none;
    if (fs::is_directory(argv[i], none)) {
      for (const auto& entry : fs::directory_iterator{argv[i], none})
        all.push_back(entry.path());
    } else {
      all.emplace_back(argv[i]);
    }
  }
  std::sort(all.begin(), all.end());
  return all;
}

bool run(const fs::path& file) {
  std::ifstream in{file, std::ios::binary};
  const std::vector<char> bytes{std::istreambuf_iterator<char>{in}, {}};
  if (!in.is_open() || in.bad()) {
    std::fprintf(stderr, "cannot read %s\n", file.c_str());
    return false;
  }
  // The last file named is the one that ended the program, if one does.
  std::printf("%s: %zu bytes\n", file.filename().c_str(), bytes.size());
  std::fflush(stdout);
  (void)LLVMFuzzerTestOneInput(reinterpret_cast<const std::uint8_t*>(bytes.data()), bytes.size());
  return true;
}

} // namespace

int main(int argc, char** argv) {
  const std::vector<fs::path> files = files_of(argc, argv);
  if (files.empty()) {
    std::fprintf(stderr, "usage: %s FILE_OR_FOLDER...: nothing to run\n", argv[0]);
    return 2;
  }
  return std::all_of(files.begin(), files.end(), run) ? 0 : 1;
}
