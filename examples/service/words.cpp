#include "words.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <unordered_map>
#include <vector>

#include <boost/json/parser.hpp>
#include <boost/json/value.hpp>

namespace service {
namespace {

namespace json = boost::json;

/// What each byte is in a word: itself, its lower case, or 0 for one that ends the word.
constexpr std::array<char, 256> in_words = [] {
  std::array<char, 256> table{};
  for (std::size_t byte = 0; byte < table.size(); ++byte) {
    const char c = static_cast<char>(byte);
    if (c >= 'A' && c <= 'Z') table[byte] = static_cast<char>(c - 'A' + 'a');
    if ((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || byte >= 0x80) table[byte] = c;
  }
  return table;
}();

char in_word(char c) noexcept { return in_words[static_cast<unsigned char>(c)]; }

/// Counts in views of the document, whose letters are made lower case where they stand: a word is never copied.
class word_counts {
public:
  using map = std::pmr::unordered_map<std::string_view, std::size_t>;

  explicit word_counts(std::pmr::memory_resource& memory) : counts_{&memory} {}

  /// Recursion is as deep as the document, and the parser has a limit for that.
  void add(json::value& value) {
    if (json::string* const text = value.if_string()) {
      add(*text);
    } else if (json::array* const elements = value.if_array()) {
      for (json::value& element : *elements)
        add(element);
    } else if (json::object* const members = value.if_object()) {
      for (auto& member : *members)
        add(member.value());
    }
  }

  [[nodiscard]] const map& counts() const noexcept { return counts_; }
  [[nodiscard]] std::size_t total() const noexcept { return total_; }

private:
  void add(json::string& text) {
    char* const end = text.data() + text.size();
    for (char* at = text.data(); at != end;) {
      char* const word = at;
      for (char lower = 0; at != end && (lower = in_word(*at)) != 0; ++at)
        *at = lower;
      if (at == word) {
        ++at;
      } else {
        ++counts_[std::string_view(word, static_cast<std::size_t>(at - word))];
        ++total_;
      }
    }
  }

  map counts_;
  std::size_t total_ = 0;
};

using entry = word_counts::map::value_type;

/// Pointers to the `top` entries in the order of the answer.
std::pmr::vector<const entry*> most_frequent(const word_counts::map& counts, std::size_t top,
                                             std::pmr::memory_resource& memory) {
  const auto before = [](const entry* a, const entry* b) {
    return a->second != b->second ? a->second > b->second : a->first < b->first;
  };
  // A heap of the best so far, its worst on top, needs room for `top` entries and not for all.
  std::pmr::vector<const entry*> best{&memory};
  best.reserve(std::min(top, counts.size()));
  for (const entry& e : counts) {
    if (best.size() < best.capacity() && best.size() < top) {
      best.push_back(&e);
      std::push_heap(best.begin(), best.end(), before);
    } else if (!best.empty() && before(&e, best.front())) {
      std::pop_heap(best.begin(), best.end(), before);
      best.back() = &e;
      std::push_heap(best.begin(), best.end(), before);
    }
  }
  std::sort_heap(best.begin(), best.end(), before);
  return best;
}

void append(std::pmr::string& text, std::size_t number) {
  char digits[20];
  text.append(digits, std::to_chars(digits, digits + sizeof digits, number).ptr);
}

/// A word has no character that JSON would escape.
void write(std::pmr::string& text, const std::pmr::vector<const entry*>& best, const word_counts& counted) {
  constexpr std::size_t around_a_word = 48; // {"word":"","count":18446744073709551615},
  std::size_t room = 100;
  for (const entry* e : best)
    room += e->first.size() + around_a_word;
  text.reserve(room);
  text += "{\"words\":[";
  for (const entry* e : best) {
    if (e != best.front()) text += ',';
    text.append("{\"word\":\"").append(e->first).append("\",\"count\":");
    append(text, e->second);
    text += '}';
  }
  text += "],\"distinct\":";
  append(text, counted.counts().size());
  text += ",\"total\":";
  append(text, counted.total());
  text += "}\n";
}

} // namespace

words_answer count_words(std::string_view document, std::size_t top, std::pmr::memory_resource& memory,
                         const json::storage_ptr& storage) {
  words_answer answer{std::pmr::string{&memory}, {}, 0};

  // The values of an array lie here until it is whole: a small document needs no other memory for that.
  unsigned char values[4096];
  json::parse_options limits;
  limits.max_depth = deepest_document;
  json::parser parser{storage, limits, values, sizeof values};
  parser.reset(storage);
  answer.parsed = parser.write(document.data(), document.size(), answer.error);
  if (answer.error) return answer;
  json::value value = parser.release();

  word_counts counted{memory};
  counted.add(value);
  write(answer.json, most_frequent(counted.counts(), top, memory), counted);
  return answer;
}

} // namespace service
