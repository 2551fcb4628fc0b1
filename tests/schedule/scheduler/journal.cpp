#include "journal.hpp"

#include <algorithm>
#include <cstdlib>
#include <map>

#include <cxxabi.h>
#include <dlfcn.h>

namespace schedule {
namespace {

const char* name_of(step what) noexcept {
  switch (what) {
  case step::load: return "load";
  case step::store: return "store";
  case step::change: return "change";
  case step::lock: return "lock";
  case step::try_lock: return "try_lock";
  case step::unlock: return "unlock";
  case step::yield: return "yield";
  case step::begin: return "begin";
  case step::end: return "end";
  case step::join: return "join";
  }
  return "";
}

const char* name_of_order(int order) noexcept {
  constexpr std::array names{"relaxed", "consume", "acquire", "release", "acq_rel", "seq_cst"};
  return names[static_cast<std::size_t>(order) % names.size()];
}

} // namespace

std::string function_at(const void* address) {
  Dl_info info{};
  if (dladdr(address, &info) == 0 || info.dli_sname == nullptr) return "the test";
  int status = 0;
  char* const readable = abi::__cxa_demangle(info.dli_sname, nullptr, nullptr, &status);
  std::string name = status == 0 ? readable : info.dli_sname;
  std::free(readable);
  return name.substr(0, 90);
}

std::string steps_of(const journal& j) {
  std::string text;
  std::map<const volatile void*, int> objects; // numbered as they come, since their addresses differ from run to run
  for (std::size_t i = j.came - std::min(j.came, journal::kept); i < j.came; ++i) {
    const entry& e = j.entries[i % journal::kept];
    text += "  thread " + std::to_string(e.thread) + ": " + name_of(e.what);
    if (e.address != nullptr) {
      const auto number = objects.try_emplace(e.address, static_cast<int>(objects.size()) + 1).first->second;
      text += " of object " + std::to_string(number);
    }
    if (e.what <= step::change) {
      text += std::string{", "} + name_of_order(e.order) + ": " + std::to_string(e.value);
      if (e.is_old) text += " (not the newest)";
    }
    if (e.what == step::try_lock) text += e.value != 0 ? ": done" : ": refused";
    text += e.from == nullptr ? "\n" : ", in " + function_at(e.from) + "\n";
  }
  return text;
}

} // namespace schedule
