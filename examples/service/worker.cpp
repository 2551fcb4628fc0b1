#include "worker.hpp"

#include <allot/core/static_slot.hpp>

#include <cstdio>
#include <memory>

#include <boost/asio/post.hpp>

namespace service {
namespace {

constexpr std::size_t rounded(std::size_t bytes) { return (bytes + 4095) / 4096 * 4096; }

using connection_pool = block_pool<rounded(sizeof(connection)), most_connections>;

constinit allot::static_slot<connection_pool, connection_pool::bytes, 4096> connection_memory;

/// Claimed by the first who comes.
connection_pool& pool() {
  static connection_pool& claimed = connection_memory.claim("connections");
  return claimed;
}

constexpr std::chrono::milliseconds tick_interval{100};

} // namespace

std::size_t connection_bytes_in_use() noexcept { return pool().used(); }

worker::worker(server& shared, statistics& counts) : shared_{shared}, counts_{counts} { static_cast<void>(pool()); }

worker::~worker() = default;

void worker::run() { context_.run(); }

void worker::adopt(tcp_socket socket) {
  load_.fetch_add(1, std::memory_order_relaxed);
  boost::asio::post(context_, [this, s = std::move(socket)]() mutable { add(std::move(s)); });
}

void worker::add(tcp_socket socket) {
  void* const place = draining_ ? nullptr : pool().try_allocate(sizeof(connection), alignof(connection));
  if (place == nullptr) { // the socket closes
    load_.fetch_sub(1, std::memory_order_relaxed);
    return;
  }
  connection& added = *::new (place) connection{*this, std::move(socket)};
  connections_.push_back(added);
  counts_.connections.add();
  counts_.accepted.add();
  start_timer();
  added.start();
}

void worker::release(connection& ended) noexcept {
  counts_.connections.subtract();
  std::destroy_at(&ended); // leaves the list
  pool().deallocate(&ended, sizeof(connection), alignof(connection));
  load_.fetch_sub(1, std::memory_order_release); // last: whoever is let in for it finds the block free
}

void worker::drain(clock::time_point deadline) {
  boost::asio::post(context_, [this, deadline] {
    draining_ = true;
    drain_deadline_ = deadline;
    work_.reset();
    for (connection& c : connections_)
      c.drain();
  });
}

void worker::start_timer() {
  if (std::exchange(timer_runs_, true)) return;
  timer_.expires_after(tick_interval);
  timer_.async_wait(in(handlers_, [this](const boost::system::error_code&) {
    timer_runs_ = false;
    tick();
  }));
}

void worker::tick() {
  const auto now = clock::now();
  const bool over = draining_ && now >= drain_deadline_;
  for (connection& c : connections_) {
    c.tick(now);
    if (over) c.abort();
  }
  if (!connections_.empty()) start_timer();
}

std::string_view worker::date() noexcept {
  if (const std::time_t now = std::time(nullptr); now != date_second_) {
    std::tm parts{};
    static_cast<void>(gmtime_r(&now, &parts));
    static_cast<void>(std::strftime(date_.data(), date_.size(), "%a, %d %b %Y %H:%M:%S GMT", &parts));
    date_second_ = now;
  }
  return date_.data();
}

} // namespace service
