#pragma once

#include "progress.hpp"
#include "text_file.hpp"

#include <array>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory_resource>
#include <string>
#include <string_view>
#include <unordered_map>

namespace tour {

/// Longer words are counted in pieces of this many bytes, so that a file without a space needs no memory of its length.
inline constexpr std::size_t longest_word = 4096;

/// How often each word occurs. Every byte of it lives in one resource.
class word_counts {
public:
  struct hash {
    using is_transparent = void; // finds by string_view: a lookup builds no string
    std::size_t operator()(std::string_view word) const noexcept { return std::hash<std::string_view>{}(word); }
  };
  using map = std::pmr::unordered_map<std::pmr::string, std::uint64_t, hash, std::equal_to<>>;

  explicit word_counts(std::pmr::memory_resource& resource) : words_{&resource} {}

  void add(std::string_view word) {
    const auto found = words_.find(word);
    if (found == words_.end()) {
      words_.emplace(word, 1U);
    } else {
      ++found->second;
    }
    ++total_;
  }

  [[nodiscard]] const map& words() const noexcept { return words_; }
  [[nodiscard]] std::uint64_t total() const noexcept { return total_; }

private:
  map words_;
  std::uint64_t total_ = 0;
};

/// Cuts a stream of bytes into words: runs of ASCII letters (lower-cased), digits and bytes above 127.
class word_splitter {
public:
  template <class Sink>
  void feed(std::string_view piece, Sink&& sink) {
    for (const char c : piece) {
      if (!is_word(c)) {
        flush(sink);
      } else {
        if (length_ == word_.size()) flush(sink);
        word_[length_++] = c >= 'A' && c <= 'Z' ? static_cast<char>(c + ('a' - 'A')) : c;
      }
    }
  }

  template <class Sink>
  void flush(Sink&& sink) {
    if (length_ == 0) return;
    sink(std::string_view{word_.data(), length_});
    length_ = 0;
  }

private:
  [[nodiscard]] static bool is_word(char c) noexcept {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           static_cast<unsigned char>(c) > 127;
  }

  std::array<char, longest_word> word_;
  std::size_t length_ = 0;
};

/// Streams `file` into `counts`, 64 KiB at a time.
inline void count_words(const text_file& file, word_counts& counts, progress& bar) {
  static constinit std::array<char, std::size_t{64} * 1024> piece{};
  word_splitter splitter;
  const auto add = [&counts](std::string_view word) { counts.add(word); };
  std::uint64_t offset = 0;
  while (const std::size_t n = file.read(offset, piece)) {
    splitter.feed({piece.data(), n}, add);
    offset += n;
    bar.show(offset, file.size());
  }
  splitter.flush(add);
}

} // namespace tour
