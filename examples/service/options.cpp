#include "options.hpp"

#include "../support/size_text.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <span>

namespace service {
namespace {

using std::chrono::milliseconds;

[[noreturn]] void refuse(std::string_view option, std::string_view text, std::string_view wants) {
  throw usage_error{std::string{option} + ": \"" + std::string{text} + "\" is not " + std::string{wants}};
}

std::size_t number(std::string_view option, std::string_view text, std::size_t least, std::size_t most) {
  std::size_t n = 0;
  const char* const end = text.data() + text.size();
  const auto [rest, error] = std::from_chars(text.data(), end, n);
  if (error != std::errc{} || rest != end || n < least || n > most)
    refuse(option, text, "a number from " + std::to_string(least) + " to " + std::to_string(most));
  return n;
}

/// 0 is no size here: a budget or a limit of nothing serves nothing.
std::size_t size(std::string_view option, std::string_view text, std::size_t least, std::size_t most) {
  const auto n = support::parse_size(text);
  if (!n) refuse(option, text, "a size: write a number of bytes such as 1048576, 512KiB or 4MiB");
  if (*n < least || *n > most)
    refuse(option, text, "a size from " + std::to_string(least) + " to " + std::to_string(most) + " bytes");
  return *n;
}

std::size_t budget(std::string_view option, std::string_view text) { return size(option, text, 1, static_capacity); }

bool is_name(std::string_view text) {
  const auto letter = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '-';
  };
  return !text.empty() && text.size() <= 31 && std::all_of(text.begin(), text.end(), letter);
}

void add_tenant(options& o, std::string_view text) {
  const std::size_t equals = text.find('=');
  tenant_option made{.name = std::string{text.substr(0, equals)}};
  if (!is_name(made.name)) refuse("--tenant", made.name, "a name: 1 to 31 letters, digits, - and _");
  if (made.name == "other") throw usage_error{"--tenant: \"other\" is the name for all that are not in the list"};
  const auto same = [&](const tenant_option& t) { return t.name == made.name; };
  if (std::any_of(o.tenants.begin(), o.tenants.end(), same))
    throw usage_error{"--tenant: \"" + made.name + "\" is there twice"};
  if (o.tenants.size() == most_tenants)
    throw usage_error{"--tenant: at most " + std::to_string(most_tenants) + " tenants"};
  if (equals != text.npos) made.budget = budget("--tenant", text.substr(equals + 1));
  o.tenants.push_back(std::move(made));
}

memory_mode mode(std::string_view text) {
  if (text == "allot") return memory_mode::allot;
  if (text == "new") return memory_mode::plain_new;
  refuse("--memory", text, "\"allot\" or \"new\"");
}

/// An option: how it is written, what it says in the usage, and what it does.
struct option {
  std::string_view name;
  std::string_view argument;
  std::string_view help;
  void (*apply)(options&, std::string_view);
};

constexpr std::array table{
    option{"--host", "ADDRESS", "listen there (default 127.0.0.1)", [](options& o, std::string_view t) { o.host = t; }},
    option{"--port", "N", "TCP port, 0 for any that is free (default 8080)",
           [](options& o, std::string_view t) { o.port = static_cast<std::uint16_t>(number("--port", t, 0, 65535)); }},
    option{"--threads", "N", "threads that serve (default: as many as there are cores)",
           [](options& o, std::string_view t) { o.threads = number("--threads", t, 1, 256); }},
    option{"--memory", "allot|new", "request memory from arenas, or by plain new without any budget (default allot)",
           [](options& o, std::string_view t) { o.memory = mode(t); }},
    option{"--budget", "SIZE", "of all requests together (default 192MiB, at most 256MiB)",
           [](options& o, std::string_view t) { o.budget = budget("--budget", t); }},
    option{"--tenant-budget", "SIZE", "of all requests of one tenant (default 128MiB)",
           [](options& o, std::string_view t) { o.tenant_budget = budget("--tenant-budget", t); }},
    option{"--request-budget", "SIZE", "of one request (default 32MiB)",
           [](options& o, std::string_view t) { o.request_budget = budget("--request-budget", t); }},
    option{"--tenant", "NAME[=SIZE]", "a tenant, and its own budget; may be repeated (default: alpha, beta)",
           add_tenant},
    option{"--max-connections", "N", "open at once; further ones wait in the kernel's queue (default 1024)",
           [](options& o, std::string_view t) {
             o.max_connections = number("--max-connections", t, 1, most_connections);
           }},
    option{"--header-limit", "SIZE", "request line and fields (default 8KiB, at most 16KiB)",
           [](options& o, std::string_view t) {
             o.header_limit = size("--header-limit", t, least_header, largest_header);
           }},
    option{"--body-limit", "SIZE", "of one request (default 4MiB)",
           [](options& o, std::string_view t) { o.body_limit = size("--body-limit", t, 1, static_capacity); }},
    option{"--discard-limit", "SIZE",
           "a refused body up to here is read to its end, a longer one ends the connection\n"
           "                            (default 64MiB)",
           [](options& o, std::string_view t) { o.discard_limit = size("--discard-limit", t, 1, SIZE_MAX); }},
    option{"--header-timeout", "TIME", "from the first byte of a request to the end of its header (default 10s)",
           [](options& o, std::string_view t) { o.header_timeout = parse_time("--header-timeout", t); }},
    option{"--body-timeout", "TIME", "from there to the end of its body (default 60s)",
           [](options& o, std::string_view t) { o.body_timeout = parse_time("--body-timeout", t); }},
    option{"--idle-timeout", "TIME", "between two requests (default 60s)",
           [](options& o, std::string_view t) { o.idle_timeout = parse_time("--idle-timeout", t); }},
    option{"--write-timeout", "TIME", "for an answer (default 30s)",
           [](options& o, std::string_view t) { o.write_timeout = parse_time("--write-timeout", t); }},
    option{"--drain-timeout", "TIME", "for requests in flight after SIGTERM (default 10s)",
           [](options& o, std::string_view t) { o.drain_timeout = parse_time("--drain-timeout", t); }},
};

const option& find(std::string_view name) {
  const auto found = std::find_if(table.begin(), table.end(), [&](const option& o) { return o.name == name; });
  if (found == table.end()) throw usage_error{"unknown argument \"" + std::string{name} + "\": see --help"};
  return *found;
}

} // namespace

milliseconds parse_time(std::string_view option, std::string_view text) {
  constexpr std::int64_t most = 24 * 60 * 60 * 1000;
  std::int64_t n = 0;
  const char* const end = text.data() + text.size();
  const auto [rest, error] = std::from_chars(text.data(), end, n);
  const std::string_view unit =
      error == std::errc{} ? std::string_view(rest, static_cast<std::size_t>(end - rest)) : "?";
  const std::int64_t factor = unit == "ms" ? 1 : unit.empty() || unit == "s" ? 1000 : unit == "m" ? 60'000 : 0;
  if (factor == 0 || n < 1 || n > most / factor)
    refuse(option, text, "a time: write 500ms, 10s or 2m, from 1ms to a day");
  return milliseconds{n * factor};
}

options parse_options(int argc, const char* const* argv) {
  const std::span<const char* const> words{argv, static_cast<std::size_t>(argc)};
  options chosen;
  for (std::size_t i = 1; i < words.size(); ++i) {
    const std::string_view word{words[i]};
    if (word == "--help" || word == "-h") {
      chosen.help = true;
      continue;
    }
    const std::size_t equals = word.starts_with("--") ? word.find('=') : word.npos;
    const option& named = find(word.substr(0, equals));
    if (equals == word.npos && i + 1 == words.size())
      throw usage_error{std::string{word} + " needs " + std::string{named.argument} + ": see --help"};
    named.apply(chosen, equals == word.npos ? std::string_view{words[++i]} : word.substr(equals + 1));
  }
  if (chosen.tenants.empty()) chosen.tenants = {{"alpha", 0}, {"beta", 0}};
  return chosen;
}

std::string usage_text() {
  std::string text =
      "usage: service [OPTION]...\n"
      "\n"
      "An HTTP service whose requests live in arenas under budgets.\n"
      "\n"
      "  POST /words?top=10   a JSON document in, its most frequent words out; X-Tenant names the tenant\n"
      "  GET /metrics         for Prometheus: OpenMetrics or text, as Accept says\n"
      "  GET /memory          the budgets with their numbers live, for people\n"
      "\n";
  for (const option& o : table) {
    std::string left = "  " + std::string{o.name} + ' ' + std::string{o.argument};
    left.resize(std::max<std::size_t>(left.size() + 1, 28), ' ');
    text += left + std::string{o.help} + '\n';
  }
  return text + "  --help                    print this\n"
                "\n"
                "SIZE is a number of bytes or ends in KiB, MiB or GiB; TIME ends in ms, s or m.\n"
                "exit status: 0 drained after SIGTERM or SIGINT, 1 could not listen or did not get all memory back,\n"
                "2 unusable arguments\n";
}

} // namespace service
