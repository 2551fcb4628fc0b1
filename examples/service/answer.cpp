#include "answer.hpp"

#include "text_writer.hpp"

#include <boost/beast/http/status.hpp>

namespace service {

std::string_view write_head(std::span<char> buffer, const answer& a, int version, std::string_view date) noexcept {
  const auto reason = boost::beast::http::obsolete_reason(static_cast<boost::beast::http::status>(a.status));
  text_writer text{buffer};
  text << "HTTP/1.1 " << a.status << " " << std::string_view{reason.data(), reason.size()} << "\r\nDate: " << date
       << "\r\nContent-Type: " << a.content_type << "\r\nContent-Length: " << a.body.size()
       << "\r\nCache-Control: no-store\r\n";
  if (!a.allow.empty()) text << "Allow: " << a.allow << "\r\n";
  if (a.retry_after != 0) text << "Retry-After: " << a.retry_after << "\r\n";
  if (a.close) {
    text << "Connection: close\r\n";
  } else if (version < 11) {
    text << "Connection: keep-alive\r\n";
  }
  return (text << "\r\n").text();
}

std::string_view write_error(std::span<char> buffer, unsigned status, std::string_view error,
                             std::string_view detail) noexcept {
  text_writer text{buffer};
  (text << "{\"status\":" << status << ",\"error\":").quoted(error);
  if (!detail.empty()) (text << ",\"detail\":").quoted(detail);
  return (text << "}\n").text();
}

std::string_view write_refusal(std::span<char> buffer, const refusal& r) noexcept {
  text_writer text{buffer};
  (text << "{\"status\":" << r.status << ",\"error\":").quoted(r.error);
  (text << ",\"level\":").quoted(r.level);
  if (!r.tenant.empty()) (text << ",\"tenant\":").quoted(r.tenant);
  text << ",\"asked_bytes\":" << r.asked_bytes << ",\"used_bytes\":" << r.used_bytes
       << ",\"limit_bytes\":" << r.limit_bytes << "}\n";
  return text.text();
}

} // namespace service
