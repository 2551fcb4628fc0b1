#pragma once

#include "answer.hpp"
#include "handler_memory.hpp"
#include "request_body.hpp"
#include "request_memory.hpp"
#include "request_parser.hpp"
#include "socket.hpp"
#include "words.hpp"

#include <array>
#include <chrono>
#include <cstddef>
#include <optional>
#include <string_view>

#include <boost/beast/core/flat_static_buffer.hpp>
#include <boost/intrusive/list_hook.hpp>

namespace service {

class worker;

/// A request's memory and what lies in it; destroyed from the last member up.
struct exchange {
  exchange(memory_mode mode, const tenant& t, std::size_t budget) noexcept : whose{t}, memory{mode, t, budget} {}

  const tenant& whose;
  request_memory memory;
  request_body body{memory.resource()};
  std::optional<words_answer> words;
};

/// A page that is being sent, in a block of the pages' pool.
class page_block {
public:
  page_block() = default;
  page_block(const page_block&) = delete;
  page_block& operator=(const page_block&) = delete;
  ~page_block() { release(); }

  /// Empty where all blocks are out.
  [[nodiscard]] std::span<char> take(page_pool& pool) noexcept;
  void release() noexcept;

private:
  page_pool* pool_ = nullptr;
  void* block_ = nullptr;
};

/// A client's connection: one request after the other, read, answered, and its memory given back.
///
///     idle -> header -> body -> answering -> idle ...      an answer that ends the connection: -> lingering -> closed
///
/// One operation of Asio is under way at any time, on the one thread that has the connection, so that nothing here is
/// locked. Input, parser, handlers and small answers lie in the object; bodies and documents in the request's memory.
class connection : public boost::intrusive::list_base_hook<boost::intrusive::link_mode<boost::intrusive::auto_unlink>> {
public:
  using clock = std::chrono::steady_clock;

  connection(worker& owner, tcp_socket socket);

  /// Waits for the first request.
  void start();

  /// Ends what has taken too long.
  void tick(clock::time_point now) noexcept;

  /// Ends the connection, now if it is idle, else after the answer.
  void drain() noexcept;

  /// Ends the connection now.
  void abort() noexcept;

private:
  using error_code = boost::system::error_code;

  enum class phase : unsigned char { idle, header, body, answering, lingering };
  enum class route : unsigned char { none, words, metrics, memory_page, memory_json };

  // Reading
  void read();
  void on_read(error_code error, std::size_t bytes);
  void advance();
  void begin_request();
  void on_header();
  void take_piece();
  void on_bad_input(error_code error);
  void on_timeout();
  [[nodiscard]] bool reads_into_body() const noexcept;

  // Deciding
  void choose_route();
  void check_body();
  void reserve_body(std::size_t capacity);
  void refuse(unsigned status, std::string_view error, std::string_view detail = {}) noexcept;
  void refuse(const refusal& why) noexcept;
  template <class Work>
  void within_memory(Work work);

  // Answering
  void respond();
  void respond_words();
  void respond_page();
  void send_continue();
  void send();
  void on_sent(error_code error);
  void end_request() noexcept;
  void linger();
  void close() noexcept;

  void enter(phase next, std::chrono::milliseconds timeout) noexcept;

  worker& owner_;
  tcp_socket socket_;
  handler_memory handlers_;
  clock::time_point deadline_{};
  phase phase_ = phase::idle;
  bool interrupted_ = false; // the operation under way was cancelled: by a deadline, or to drain

  // Of the request
  std::optional<request_parser> parser_;
  std::optional<exchange> exchange_; // while a body is to be kept
  page_block page_;
  route route_ = route::none;
  bool refused_ = false; // answer_ stands; what is left of the body is thrown away
  bool in_flight_ = false;
  bool wants_head_ = false;
  std::size_t top_ = default_top;
  std::size_t header_bytes_ = 0;
  std::size_t discarded_bytes_ = 0;
  answer answer_;

  std::array<char, 512> head_;
  std::array<char, 1024> small_body_;
  boost::beast::flat_static_buffer<largest_header> input_;
};

} // namespace service
