#pragma once

#include "request_head.hpp"

#include <cstdint>
#include <string_view>

#include <boost/beast/http/basic_parser.hpp>

namespace service {

namespace beast = boost::beast;
namespace http = boost::beast::http;

/// Beast's parser, with the fields that matter kept in place and no container of the others: nothing is allocated.
class request_parser final : public http::basic_parser<true> {
public:
  explicit request_parser(std::uint32_t header_limit) {
    this->header_limit(header_limit);
    this->body_limit(boost::none); // the connection counts for itself, since it goes on after a body that is too long
  }

  [[nodiscard]] const request_head& head() const noexcept { return head_; }

  /// The part of the body in what `put` consumed last, where it stands in the caller's buffer; `put` stops behind each.
  [[nodiscard]] std::string_view piece() const noexcept { return piece_; }
  void forget_piece() noexcept { piece_ = {}; }

private:
  using string_view = beast::string_view;
  using error_code = beast::error_code;

  static std::string_view of(string_view text) noexcept { return {text.data(), text.size()}; }

  static service::method of(http::verb verb) noexcept {
    switch (verb) {
    case http::verb::get: return method::get;
    case http::verb::head: return method::head;
    case http::verb::post: return method::post;
    case http::verb::unknown: return method::unknown;
    default: return method::other;
    }
  }

  void on_request_impl(http::verb verb, string_view, string_view target, int version, error_code&) override {
    head_.method = of(verb);
    head_.target.assign(of(target));
    head_.version = version;
  }

  void on_field_impl(http::field name, string_view text, string_view value, error_code&) override {
    if (this->is_header_done()) return; // a trailer
    switch (name) {
    case http::field::host: ++head_.hosts; break;
    case http::field::transfer_encoding: // "gzip, chunked" ends as a chunked body does, and is none to Beast
      head_.has_transfer_encoding = true;
      head_.only_chunked &= same_word(of(value), "chunked");
      break;
    case http::field::content_type:
      head_.has_content_type = true;
      head_.content_type.assign(of(value));
      break;
    case http::field::accept: head_.accept.append_list(of(value)); break;
    case http::field::expect:
      head_.has_expect = true;
      head_.expect.append_list(of(value));
      break;
    case http::field::unknown:
      if (same_word(of(text), "X-Tenant")) head_.tenant.assign(of(value));
      break;
    default: break;
    }
  }

  std::size_t on_body_impl(string_view piece, error_code&) override {
    piece_ = of(piece);
    return piece.size();
  }
  std::size_t on_chunk_body_impl(std::uint64_t, string_view piece, error_code&) override {
    piece_ = of(piece);
    return piece.size();
  }

  void on_response_impl(int, string_view, int, error_code&) override {}
  void on_header_impl(error_code&) override {}
  void on_body_init_impl(boost::optional<std::uint64_t> const&, error_code&) override {}
  void on_chunk_header_impl(std::uint64_t, string_view, error_code&) override {}
  void on_finish_impl(error_code&) override {}

  request_head head_;
  std::string_view piece_;
};

} // namespace service
