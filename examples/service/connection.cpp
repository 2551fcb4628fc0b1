#include "connection.hpp"

#include "memory_page.hpp"
#include "metrics.hpp"
#include "text_writer.hpp"
#include "worker.hpp"

#include <boost/asio/write.hpp>
#include <boost/beast/http/error.hpp>

namespace service {
namespace {

using namespace std::string_view_literals;
using std::chrono::milliseconds;

namespace asio = boost::asio;

constexpr unsigned retry_seconds = 1;
constexpr milliseconds linger_time{2000};
constexpr std::string_view please_continue = "HTTP/1.1 100 Continue\r\n\r\n";

} // namespace

std::span<char> page_block::take(page_pool& pool) noexcept {
  block_ = pool.try_allocate(page_bytes, alignof(std::max_align_t));
  if (block_ == nullptr) return {};
  pool_ = &pool;
  return {static_cast<char*>(block_), page_bytes};
}

void page_block::release() noexcept {
  if (block_ != nullptr) pool_->deallocate(std::exchange(block_, nullptr), page_bytes, alignof(std::max_align_t));
}

connection::connection(worker& owner, tcp_socket socket) : owner_{owner}, socket_{std::move(socket)} {}

void connection::start() {
  error_code ignored;
  socket_.set_option(asio::ip::tcp::no_delay{true}, ignored); // an answer leaves at once
  enter(phase::idle, owner_.shared().chosen.idle_timeout);
  read();
}

void connection::enter(phase next, milliseconds timeout) noexcept {
  phase_ = next;
  deadline_ = clock::now() + timeout;
}

void connection::tick(clock::time_point now) noexcept {
  if (now < deadline_ || interrupted_) return;
  interrupted_ = true;
  owner_.counts().timeouts.add();
  error_code ignored;
  socket_.cancel(ignored);
}

void connection::drain() noexcept {
  if (phase_ != phase::idle || interrupted_) return;
  interrupted_ = true;
  error_code ignored;
  socket_.cancel(ignored);
}

void connection::abort() noexcept {
  error_code ignored;
  socket_.close(ignored);
}

// --- Reading --------------------------------------------------------------------------------------------------------

/// A body of known length goes from the socket to its place.
bool connection::reads_into_body() const noexcept {
  return phase_ == phase::body && exchange_ && !parser_->chunked() && input_.size() == 0;
}

void connection::read() {
  asio::mutable_buffer where;
  if (reads_into_body()) {
    const std::span<char> room = exchange_->body.room();
    where = {room.data(), room.size()};
  } else {
    where = input_.prepare(input_.capacity() - input_.size());
  }
  socket_.async_read_some(where, in(handlers_, [this](error_code e, std::size_t n) { on_read(e, n); }));
}

void connection::on_read(error_code error, std::size_t bytes) {
  const bool came_in_time = phase_ == phase::idle && !error; // before the cancellation, though it is seen after it
  if (interrupted_ && !came_in_time) return on_timeout();
  interrupted_ = false;
  if (error) {
    if (phase_ == phase::header || phase_ == phase::body) owner_.counts().broken.add();
    return close();
  }
  if (reads_into_body()) {
    error_code none;
    parser_->put(asio::const_buffer{exchange_->body.room().data(), bytes}, none);
    take_piece();
    return parser_->is_done() ? respond() : read();
  }
  input_.commit(bytes);
  if (phase_ == phase::lingering) {
    discarded_bytes_ += bytes;
    input_.clear();
    return discarded_bytes_ > owner_.shared().chosen.discard_limit ? close() : read();
  }
  if (phase_ == phase::idle) begin_request();
  advance();
}

void connection::begin_request() {
  enter(phase::header, owner_.shared().chosen.header_timeout);
  parser_.emplace(static_cast<std::uint32_t>(owner_.shared().chosen.header_limit));
  route_ = route::none;
  refused_ = false;
  wants_head_ = false;
  top_ = default_top;
  header_bytes_ = 0;
  discarded_bytes_ = 0;
  answer_ = {};
}

/// Parses what is here, as far as it goes.
void connection::advance() {
  while (!parser_->is_done()) {
    if (input_.size() == 0) return read();
    error_code error;
    const std::size_t consumed = parser_->put(input_.data(), error);
    take_piece();
    input_.consume(consumed);
    if (phase_ == phase::header) header_bytes_ += consumed;
    if (error == http::error::need_more) {
      const std::size_t limit = owner_.shared().chosen.header_limit;
      if (phase_ == phase::header && header_bytes_ + input_.size() >= limit)
        error = http::error::header_limit;
      else if (input_.size() < input_.capacity())
        return read();
    }
    if (error) return on_bad_input(error);
    if (phase_ == phase::header && parser_->is_header_done()) {
      on_header();
      if (phase_ != phase::body) return; // the answer is on its way, or the client is told to go on
    }
    if (discarded_bytes_ > owner_.shared().chosen.discard_limit) {
      answer_.close = true;
      return respond();
    }
  }
  respond();
}

/// Keeps or throws away what the parser has just found of the body.
void connection::take_piece() {
  const std::string_view piece = parser_->piece();
  if (piece.empty()) return;
  parser_->forget_piece();
  if (exchange_ && piece.size() > owner_.shared().chosen.body_limit - exchange_->body.size())
    refuse(413, "the body is longer than the limit for bodies");
  if (exchange_) reserve_body(exchange_->body.capacity_for(piece.size()));
  if (exchange_) {
    exchange_->body.append(piece);
  } else {
    discarded_bytes_ += piece.size();
  }
}

void connection::on_bad_input(error_code error) {
  parser_.reset();
  if (error == http::error::header_limit) {
    refuse(431, "the header is longer than the limit for headers");
  } else if (error == http::error::bad_version) {
    refuse(505, "only HTTP/1.0 and HTTP/1.1 are spoken here");
  } else {
    char text[128];
    refuse(400, "the request is not HTTP as it should be", error.message(text, sizeof text));
  }
  answer_.close = true;
  respond();
}

void connection::on_timeout() {
  if (phase_ != phase::header && phase_ != phase::body) return close();
  interrupted_ = false;
  refuse(408, "the request took longer than the limit for its time");
  answer_.close = true;
  respond();
}

// --- Deciding -------------------------------------------------------------------------------------------------------

void connection::on_header() {
  const options& chosen = owner_.shared().chosen;
  const request_head& head = parser_->head();
  enter(phase::body, chosen.body_timeout);
  in_flight_ = true;
  owner_.counts().in_flight.add();
  answer_.close = !parser_->keep_alive();
  wants_head_ = head.method == method::head;
  choose_route();
  if (!refused_ && route_ == route::words) check_body();

  const auto length = parser_->content_length();
  if (refused_ && length && *length > chosen.discard_limit) answer_.close = true;
  // Where the body ends is not known, or others on the way may see it elsewhere (RFC 9112, 6.1).
  if (head.has_transfer_encoding && (!head.only_chunked || head.version < 11)) answer_.close = true;
  const bool expects = head.has_expect && head.version >= 11 && input_.size() == 0 && !parser_->is_done();
  if (refused_ && expects) answer_.close = true; // the client may send its body or not: nobody could tell
  if (refused_ && answer_.close) return respond();
  if (expects) return send_continue();
}

/// The route, or the refusal that needs no look at the body.
void connection::choose_route() {
  const request_head& head = parser_->head();
  const auto [path, query] = split_target(head.target.view());
  const bool reads = head.method == method::get || head.method == method::head;

  if (!head.target.fits()) return refuse(404, "there is nothing at so long a path");
  if (head.hosts > 1 || (head.version >= 11 && head.hosts == 0))
    return refuse(400, "a request of HTTP/1.1 has one Host field");
  if (!head.only_chunked) return refuse(501, "the only transfer coding here is chunked");
  if (head.method == method::unknown) return refuse(501, "there is no such method here");
  if (head.has_expect && !same_word(head.expect.view(), "100-continue"))
    return refuse(417, "the only expectation that can be met is 100-continue");

  if (path == "/words") {
    route_ = route::words;
    if (head.method != method::post) {
      answer_.allow = "POST";
      return refuse(405, "words are asked for by POST");
    }
    const auto top = top_of(query, default_top, most_top);
    if (!top) return refuse(400, "top is a number from 1 to 1000");
    top_ = *top;
    return;
  }
  route_ = path == "/metrics"       ? route::metrics
           : path == "/memory"      ? route::memory_page
           : path == "/memory.json" ? route::memory_json
                                    : route::none;
  if (route_ == route::none) return refuse(404, "there is /words, /metrics and /memory");
  if (!reads) {
    answer_.allow = "GET, HEAD";
    return refuse(405, "this is read by GET or HEAD");
  }
}

/// What a body must be before it is taken.
void connection::check_body() {
  const request_head& head = parser_->head();
  const options& chosen = owner_.shared().chosen;
  const auto length = parser_->content_length();
  if (!length && !parser_->chunked()) return refuse(411, "a body needs its Content-Length, or to be chunked");
  if (head.has_content_type && !is_json(head.content_type.view()))
    return refuse(415, "the body is to be application/json");
  if (length && *length > chosen.body_limit) return refuse(413, "the body is longer than the limit for bodies");

  server& shared = owner_.shared();
  exchange_.emplace(chosen.memory, shared.memory.find(head.tenant.view()), shared.memory.request_budget());
  if (length) reserve_body(static_cast<std::size_t>(*length));
}

/// A body that has no room is refused without an exception: under load, that is the common case.
void connection::reserve_body(std::size_t capacity) {
  if (exchange_->body.try_reserve(capacity)) return;
  if (const auto record = exchange_->memory.shortage(capacity)) return refuse(refusal_for(*record, exchange_->whose));
  within_memory([&] { exchange_->body.reserve(capacity); });
}

/// Does `work` in the request's memory. Where that has no room, the request is refused by the level that said no.
template <class Work>
void connection::within_memory(Work work) {
  try {
    work();
  } catch (const allot::out_of_memory& failed) {
    refuse(refusal_for(failed.record(), exchange_->whose));
  } catch (const std::bad_alloc&) {
    refuse(refusal_by_system());
  } catch (const std::exception& unforeseen) {
    refuse(500, "the service failed", unforeseen.what());
  }
}

/// Decides the answer, and gives the request's memory back at once: the rest of a long body needs none.
void connection::refuse(unsigned status, std::string_view error, std::string_view detail) noexcept {
  exchange_.reset();
  refused_ = true;
  answer_.status = status;
  answer_.body = write_error(small_body_, status, error, detail);
}

void connection::refuse(const refusal& why) noexcept {
  exchange_.reset();
  refused_ = true;
  answer_.status = why.status;
  answer_.retry_after = why.status == 413 ? 0 : retry_seconds;
  answer_.body = write_refusal(small_body_, why);
}

// --- Answering ------------------------------------------------------------------------------------------------------

void connection::respond() {
  if (!refused_) route_ == route::words ? respond_words() : respond_page();
  send();
}

void connection::respond_words() {
  within_memory([this] {
    exchange_->words.emplace(
        count_words(exchange_->body.text(), top_, exchange_->memory.resource(), exchange_->memory.json_storage()));
  });
  if (refused_) return;
  if (const words_answer& words = *exchange_->words; !words.error) {
    answer_.body = words.json;
  } else {
    char reason[96];
    char detail[160];
    const std::string_view why = words.error.message(reason, sizeof reason);
    refuse(400, "the body is no JSON document",
           (text_writer{detail} << why << ", after " << words.parsed << " bytes").text());
  }
}

void connection::respond_page() {
  if (route_ == route::memory_page) {
    answer_.content_type = "text/html; charset=utf-8";
    answer_.body = memory_page;
    return;
  }
  const std::span<char> room = page_.take(owner_.shared().memory.pages());
  if (room.empty()) return refuse(refusal_of_page());
  if (route_ == route::memory_json) {
    answer_.body = write_memory_json(room, owner_.shared());
  } else {
    using allot::report::metrics_format;
    const auto format =
        prefers_openmetrics(parser_->head().accept.view()) ? metrics_format::open_metrics : metrics_format::prometheus;
    answer_.content_type = content_type(format);
    answer_.body = write_metrics(room, format, owner_.shared());
  }
}

void connection::send_continue() {
  enter(phase::answering, owner_.shared().chosen.write_timeout);
  asio::async_write(socket_, asio::buffer(please_continue), in(handlers_, [this](error_code error, std::size_t) {
                      if (error || interrupted_) return close();
                      enter(phase::body, owner_.shared().chosen.body_timeout);
                      advance();
                    }));
}

void connection::send() {
  answer_.close |= owner_.draining();
  owner_.counts().count_answer(answer_.status);
  const int version = parser_ ? parser_->head().version : 11;
  const std::string_view head = write_head(head_, answer_, version, owner_.date());
  const std::string_view body = wants_head_ ? ""sv : answer_.body;
  const std::array<asio::const_buffer, 2> both{asio::buffer(head), asio::buffer(body)};
  enter(phase::answering, owner_.shared().chosen.write_timeout);
  asio::async_write(socket_, both, in(handlers_, [this](error_code error, std::size_t) { on_sent(error); }));
}

void connection::on_sent(error_code error) {
  end_request();
  if (error || interrupted_) {
    owner_.counts().broken.add();
    return close();
  }
  if (answer_.close) return linger();
  if (input_.size() == 0) {
    enter(phase::idle, owner_.shared().chosen.idle_timeout);
    return owner_.draining() ? close() : read();
  }
  begin_request();
  advance();
}

void connection::end_request() noexcept {
  exchange_.reset();
  page_.release();
  parser_.reset();
  if (std::exchange(in_flight_, false)) owner_.counts().in_flight.subtract();
}

/// To close at once, with unread bytes there, would reset the connection, and the client might lose the answer.
void connection::linger() {
  error_code ignored;
  socket_.shutdown(tcp_socket::shutdown_send, ignored);
  enter(phase::lingering, linger_time);
  discarded_bytes_ = 0;
  input_.clear();
  read();
}

void connection::close() noexcept {
  end_request();
  owner_.release(*this); // ends this object
}

} // namespace service
