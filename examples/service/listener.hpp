#pragma once

#include "socket.hpp"
#include "worker.hpp"

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>

#include <boost/asio/basic_socket_acceptor.hpp>
#include <boost/asio/basic_waitable_timer.hpp>
#include <boost/asio/ip/address.hpp>

namespace service {

/// The address or the port cannot be had: `what` is one line that says which and why.
struct cannot_listen {
  std::string what;
};

/// Accepts connections and gives each to the worker that has the fewest. Where the process has no descriptor left, or as
/// many connections as it may have, it waits a moment: clients wait in the kernel's queue meanwhile.
class listener {
public:
  /// Listens from here on.
  /// \throws cannot_listen
  listener(boost::asio::io_context& context, server& shared, std::span<worker* const> workers,
           const boost::asio::ip::tcp::endpoint& where);

  /// The port that was chosen.
  [[nodiscard]] std::uint16_t port() const { return acceptor_.local_endpoint().port(); }

  void start();

  /// Refuses what comes from here on.
  void stop() noexcept;

private:
  using executor = boost::asio::io_context::executor_type;
  using clock = std::chrono::steady_clock;

  void accept();
  void wait();
  [[nodiscard]] std::size_t open_connections() const noexcept;
  [[nodiscard]] worker& least_busy() noexcept;

  server& shared_;
  std::span<worker* const> workers_;
  boost::asio::basic_socket_acceptor<boost::asio::ip::tcp, executor> acceptor_;
  boost::asio::basic_waitable_timer<clock, boost::asio::wait_traits<clock>, executor> pause_;
};

} // namespace service
