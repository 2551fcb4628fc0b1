#include "options.hpp"

#include "../support/size_text.hpp"

#include <span>

namespace tour {
namespace {

std::size_t parse_budget(std::string_view text, std::size_t capacity) {
  const auto size = support::parse_size(text);
  if (!size) {
    throw usage_error{"--budget: \"" + std::string{text} +
                      "\" is no size: write a number of bytes such as 1048576, 512KiB or 4MiB"};
  }
  if (*size > capacity) {
    throw usage_error{"--budget: " + std::string{text} + " is more than the static arena has: at most " +
                      std::to_string(capacity >> 20) + "MiB"};
  }
  return *size;
}

} // namespace

options parse_options(int argc, const char* const* argv, std::string default_file, std::size_t capacity) {
  const std::span<const char* const> all{argv, static_cast<std::size_t>(argc)};
  options chosen{.file = {}, .budget = capacity};
  bool have_file = false;
  bool only_files = false;
  for (std::size_t i = 1; i < all.size(); ++i) {
    const std::string_view word{all[i]};
    if (!only_files && word == "--") {
      only_files = true;
    } else if (!only_files && (word == "--help" || word == "-h")) {
      chosen.help = true;
    } else if (!only_files && word == "--budget") {
      if (i + 1 == all.size()) throw usage_error{"--budget needs a size, for example --budget 4MiB"};
      chosen.budget = parse_budget(all[++i], capacity);
    } else if (!only_files && word.starts_with("--budget=")) {
      chosen.budget = parse_budget(word.substr(9), capacity);
    } else if (!only_files && word.size() > 1 && word.front() == '-') {
      throw usage_error{"unknown option " + std::string{word} + ": see --help"};
    } else if (have_file) {
      throw usage_error{"one file at a time: \"" + chosen.file + "\" or \"" + std::string{word} + '"'};
    } else {
      chosen.file = word;
      have_file = true;
    }
  }
  if (!have_file) chosen.file = std::move(default_file);
  return chosen;
}

} // namespace tour
