// The command line of the service: any words are options within their limits, or are refused by one line that says why.

#include "../../examples/service/options.hpp"

#include "require.hpp"
#include "target.hpp"

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <string>
#include <vector>

namespace {

using namespace std::chrono_literals;

/// The words of the input, which are those between its line ends.
std::vector<std::string> words_from(fuzz::input& in) {
  std::vector<std::string> words{"service"};
  for (std::string rest = in.rest(); !rest.empty();) {
    const std::size_t end = std::min(rest.find('\n'), rest.size());
    words.push_back(rest.substr(0, end));
    rest.erase(0, end + 1);
  }
  return words;
}

void check(const service::options& o) {
  for (const std::size_t budget : {o.budget, o.tenant_budget, o.request_budget})
    FUZZ_REQUIRE(budget >= 1 && budget <= service::static_capacity);
  FUZZ_REQUIRE(o.threads <= 256 && o.max_connections >= 1 && o.max_connections <= service::most_connections);
  FUZZ_REQUIRE(o.header_limit >= service::least_header && o.header_limit <= service::largest_header);
  FUZZ_REQUIRE(o.body_limit >= 1 && o.body_limit <= service::static_capacity && o.discard_limit >= 1);
  for (const auto time : {o.header_timeout, o.body_timeout, o.idle_timeout, o.write_timeout, o.drain_timeout})
    FUZZ_REQUIRE(time >= 1ms && time <= 24h);
  FUZZ_REQUIRE(!o.tenants.empty() && o.tenants.size() <= service::most_tenants);
  for (const service::tenant_option& t : o.tenants) {
    FUZZ_REQUIRE(!t.name.empty() && t.name.size() <= 31 && t.name != "other" && t.budget <= service::static_capacity);
    const auto is_same = [&](const service::tenant_option& other) { return other.name == t.name; };
    FUZZ_REQUIRE(std::count_if(o.tenants.begin(), o.tenants.end(), is_same) == 1);
  }
}

void run(fuzz::input& in) {
  const std::vector<std::string> words = words_from(in);
  std::vector<const char*> pointers;
  for (const std::string& word : words)
    pointers.push_back(word.c_str());
  try {
    check(service::parse_options(static_cast<int>(pointers.size()), pointers.data()));
  } catch (const service::usage_error& refusal) {
    FUZZ_REQUIRE(!refusal.what.empty());
  }
}

} // namespace

FUZZ_TARGET(run)
