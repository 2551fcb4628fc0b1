// What the service reads from a socket: any bytes are the same request, or an error, however they are cut into pieces.
// What it makes of the fields of a header is compared, too.

#include "../../examples/service/request_head.hpp"
#include "../../examples/service/request_parser.hpp"

#include "require.hpp"
#include "target.hpp"

#include <algorithm>
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

#include <boost/asio/buffer.hpp>

namespace {

constexpr std::size_t header_limit = 512;

/// What came of the bytes.
struct outcome {
  bool has_header = false;
  bool is_done = false;
  bool failed = false;
  service::method method = service::method::unknown;
  unsigned hosts = 0;
  std::string target;
  std::string tenant;
  std::string accept;
  std::string body;

  bool operator==(const outcome&) const = default;
};

/// Reads as the service does: what is not consumed stays at the front of the buffer. `cut` says how many bytes come next.
template <class Cut>
outcome read(std::string_view bytes, Cut cut) {
  service::request_parser parser{header_limit};
  outcome seen;
  std::string pending;
  while (!parser.is_done()) {
    service::beast::error_code error;
    const std::size_t consumed = pending.empty() ? 0 : parser.put(boost::asio::buffer(pending), error);
    FUZZ_REQUIRE(consumed <= pending.size());
    seen.body += parser.piece();
    parser.forget_piece();
    pending.erase(0, consumed);
    const bool wants_more = error == service::http::error::need_more || (consumed == 0 && !error);
    if (error && !wants_more) {
      seen.failed = true;
      break;
    }
    if (!wants_more) continue;
    if (bytes.empty()) break;
    const std::size_t next = std::clamp<std::size_t>(cut(), 1, bytes.size());
    pending += bytes.substr(0, next);
    bytes.remove_prefix(next);
  }
  seen.is_done = parser.is_done();
  seen.has_header = parser.is_header_done();
  if (seen.failed || !seen.has_header) return seen;
  const service::request_head& head = parser.head();
  seen.method = head.method;
  seen.hosts = head.hosts;
  seen.target = head.target.view();
  seen.tenant = head.tenant.view();
  seen.accept = head.accept.view();
  return seen;
}

void check_fields(std::string_view text) {
  const service::request_target parts = service::split_target(text);
  FUZZ_REQUIRE(parts.path.find('?') == text.npos && parts.path.size() + parts.query.size() <= text.size());
  const auto top = service::top_of(text, 10, 1000);
  FUZZ_REQUIRE(!top || (*top >= 1 && *top <= 1000));
  FUZZ_REQUIRE(text.find("top=") != text.npos || top == std::optional<std::size_t>{10});
  FUZZ_REQUIRE(!service::is_json(text) || text.find('/') != text.npos || text.find('+') != text.npos);
  FUZZ_REQUIRE(!service::prefers_openmetrics(text) || text.find('/') != text.npos);
  FUZZ_REQUIRE(service::same_word(text, text));
}

void run(fuzz::input& in) {
  const std::size_t first = in.byte();
  const std::size_t second = in.byte();
  const std::string bytes = in.rest();
  check_fields(bytes);
  const outcome whole = read(bytes, [&] { return bytes.size(); });
  std::size_t turn = 0;
  const outcome cut = read(bytes, [&] { return turn++ % 2 == 0 ? first : second; });
  // Beast may look at an incomplete header once, and then no more until its end: so an error may be told late. And of the
  // body before an error it depends on the pieces how much came. What is not consumed yet is held against the limit of a header,
  // and in pieces that is its first line too: they decide of one that is about as long as the limit.
  const bool may_be_refused = bytes.size() >= header_limit && !(whole.has_header && cut.has_header);
  if (whole.failed || cut.failed) {
    FUZZ_REQUIRE(may_be_refused || (whole.failed && (cut.failed || !cut.has_header)));
  } else {
    FUZZ_REQUIRE(whole == cut);
  }
}

} // namespace

FUZZ_TARGET(run)
