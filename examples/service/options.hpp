#pragma once

#include <allot/core/layout.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace service {

using namespace allot::literals;

/// What the pools of static memory have; see memory.hpp.
inline constexpr std::size_t static_capacity = 256_MiB;
inline constexpr std::size_t most_tenants = 32;
inline constexpr std::size_t most_connections = 4096;
inline constexpr std::size_t least_header = 256;
inline constexpr std::size_t largest_header = 16_KiB;

/// Where a request's memory comes from: an arena under budgets, or `new` for comparison.
enum class memory_mode : unsigned char { allot, plain_new };

struct tenant_option {
  std::string name;
  std::size_t budget = 0; ///< bytes; 0: `options::tenant_budget`
};

/// What the command line asks for. The defaults are what the usage text says, since it is made from them.
struct options {
  std::string host = "127.0.0.1";
  std::uint16_t port = 8080; ///< 0: any that is free
  std::size_t threads = 0;   ///< 0: as many as there are cores
  memory_mode memory = memory_mode::allot;

  std::size_t budget = 192_MiB;        ///< of all requests together
  std::size_t tenant_budget = 128_MiB; ///< of all requests of one tenant
  std::size_t request_budget = 32_MiB; ///< of one request
  std::vector<tenant_option> tenants;

  std::size_t max_connections = 1024; ///< further ones wait in the kernel's queue
  std::size_t header_limit = 8_KiB;   ///< request line and fields
  std::size_t body_limit = 4_MiB;
  std::size_t discard_limit =
      64_MiB; ///< a refused body up to here is read and thrown away, a longer one ends the connection

  std::chrono::milliseconds header_timeout{10'000}; ///< from a request's first byte to the end of its header
  std::chrono::milliseconds body_timeout{60'000};   ///< from there to the end of its body
  std::chrono::milliseconds idle_timeout{60'000};   ///< between two requests
  std::chrono::milliseconds write_timeout{30'000};  ///< for an answer
  std::chrono::milliseconds drain_timeout{10'000};  ///< for requests in flight after SIGTERM

  bool help = false;
};

/// A command line that cannot be used: `what` is one line for the person who typed it.
struct usage_error {
  std::string what;
};

/// \throws usage_error
[[nodiscard]] options parse_options(int argc, const char* const* argv);

[[nodiscard]] std::string usage_text();

/// `text` as a time: digits, then ms, s or m; digits alone are seconds. At most a day.
/// \throws usage_error  which starts with `option`
[[nodiscard]] std::chrono::milliseconds parse_time(std::string_view option, std::string_view text);

} // namespace service
