#include "listener.hpp"

#include <algorithm>
#include <numeric>

#include <boost/asio/error.hpp>

namespace service {
namespace {

constexpr std::chrono::milliseconds moment{20};

} // namespace

listener::listener(boost::asio::io_context& context, server& shared, std::span<worker* const> workers,
                   const boost::asio::ip::tcp::endpoint& where)
    : shared_{shared}, workers_{workers}, acceptor_{context.get_executor()}, pause_{context.get_executor()} {
  try {
    acceptor_.open(where.protocol());
    acceptor_.set_option(
        boost::asio::socket_base::reuse_address{true}); // of connections that linger, not of a listener
    acceptor_.bind(where);
    acceptor_.listen();
  } catch (const boost::system::system_error& error) {
    throw cannot_listen{"cannot listen on " + where.address().to_string() + ", port " + std::to_string(where.port()) +
                        ": " + error.code().message() + "; --port 0 takes a port that is free"};
  }
}

void listener::start() { accept(); }

void listener::stop() noexcept {
  boost::system::error_code ignored;
  acceptor_.close(ignored);
  pause_.cancel();
}

void listener::accept() {
  if (!acceptor_.is_open()) return;
  if (open_connections() >= shared_.chosen.max_connections) return wait();
  worker& chosen = least_busy();
  acceptor_.async_accept(chosen.get_executor(), [this, &chosen](boost::system::error_code error, tcp_socket socket) {
    if (!error) {
      chosen.adopt(std::move(socket));
      return accept();
    }
    if (error == boost::asio::error::operation_aborted) return;
    error == boost::asio::error::connection_aborted ? accept() : wait(); // no descriptor, or no memory in the kernel
  });
}

void listener::wait() {
  pause_.expires_after(moment);
  pause_.async_wait([this](const boost::system::error_code& error) {
    if (!error) accept();
  });
}

std::size_t listener::open_connections() const noexcept {
  return std::accumulate(workers_.begin(), workers_.end(), std::size_t{0},
                         [](std::size_t n, const worker* w) { return n + w->load(); });
}

worker& listener::least_busy() noexcept {
  return **std::min_element(workers_.begin(), workers_.end(),
                            [](worker* a, worker* b) { return a->load() < b->load(); });
}

} // namespace service
