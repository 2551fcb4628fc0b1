#pragma once

#include "connection.hpp"
#include "handler_memory.hpp"
#include "server.hpp"
#include "socket.hpp"

#include <array>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <ctime>
#include <string_view>

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/intrusive/list.hpp>

namespace service {

/// A thread that serves: its connections, and one timer that looks after all their deadlines every tenth of a second.
class worker {
public:
  using clock = std::chrono::steady_clock;
  using executor = boost::asio::io_context::executor_type;

  /// \param shared  outlives the worker
  /// \param counts  for this worker alone to write
  worker(server& shared, statistics& counts);
  ~worker();

  /// Serves until it is drained.
  void run();

  /// Any thread: takes a new connection over.
  void adopt(tcp_socket socket);

  /// Any thread: connections that it has or is about to have.
  [[nodiscard]] std::size_t load() const noexcept { return load_.load(std::memory_order_acquire); }

  /// Any thread: finishes what is in flight, and ends what is not done at `deadline`.
  void drain(clock::time_point deadline);

  [[nodiscard]] executor get_executor() noexcept { return context_.get_executor(); }

  // For connections, on the worker's own thread
  [[nodiscard]] server& shared() noexcept { return shared_; }
  [[nodiscard]] statistics& counts() noexcept { return counts_; }
  [[nodiscard]] bool draining() const noexcept { return draining_; }
  [[nodiscard]] std::string_view date() noexcept;
  void release(connection& ended) noexcept;

private:
  void add(tcp_socket socket);
  void start_timer();
  void tick();

  server& shared_;
  statistics& counts_;
  boost::asio::io_context context_{1};
  boost::asio::executor_work_guard<executor> work_{context_.get_executor()};
  boost::intrusive::list<connection, boost::intrusive::constant_time_size<false>> connections_;
  handler_memory handlers_;
  boost::asio::basic_waitable_timer<clock, boost::asio::wait_traits<clock>, executor> timer_{context_.get_executor()};
  std::atomic<std::size_t> load_{0};
  bool timer_runs_ = false;
  bool draining_ = false;
  clock::time_point drain_deadline_{};
  std::time_t date_second_ = -1;
  std::array<char, 32> date_{};
};

/// Where the connections of all workers lie; for reports.
[[nodiscard]] std::size_t connection_bytes_in_use() noexcept;

} // namespace service
