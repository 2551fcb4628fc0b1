// An HTTP service whose requests live in arenas under budgets: one for the request, one for its tenant, one for the
// process.

#include "final_report.hpp"
#include "listener.hpp"
#include "memory.hpp"
#include "options.hpp"
#include "server.hpp"
#include "worker.hpp"

#include <algorithm>
#include <cstdio>
#include <deque>
#include <exception>
#include <string>
#include <thread>
#include <vector>

#include <boost/asio/ip/address.hpp>
#include <boost/asio/signal_set.hpp>

namespace {

namespace asio = boost::asio;
using asio::ip::tcp;

constexpr int exit_drained = 0;
constexpr int exit_failed = 1;
constexpr int exit_usage = 2;

std::size_t threads_of(const service::options& chosen) {
  return chosen.threads != 0 ? chosen.threads : std::max(1U, std::thread::hardware_concurrency());
}

tcp::endpoint endpoint_of(const service::options& chosen) {
  boost::system::error_code error;
  const auto address = asio::ip::make_address(chosen.host, error);
  if (error) throw service::usage_error{"--host: \"" + chosen.host + "\" is not an address, such as 127.0.0.1 or ::1"};
  return {address, chosen.port};
}

/// As in a URL.
std::string text_of(const tcp::endpoint& where) {
  const std::string address = where.address().to_string();
  return (where.address().is_v6() ? '[' + address + ']' : address) + ':' + std::to_string(where.port());
}

/// Drains at the first signal, and ends what is left at the second.
void drain_on_signal(asio::signal_set& signals, service::listener& listening, std::deque<service::worker>& workers,
                     service::server& shared) {
  signals.async_wait([&](const boost::system::error_code& error, int) {
    if (error) return;
    const bool again = shared.draining.exchange(true);
    listening.stop();
    const auto now = service::worker::clock::now();
    for (service::worker& w : workers)
      w.drain(again ? now : now + shared.chosen.drain_timeout);
    if (!again) drain_on_signal(signals, listening, workers, shared);
  });
}

/// Serves until a signal.
/// \return whether all memory came back
bool serve(const service::options& chosen, const tcp::endpoint& where) {
  service::memory memory{chosen};
  std::vector<service::statistics> counts(threads_of(chosen));
  service::server shared{chosen, memory, counts};
  std::deque<service::worker> workers;
  std::vector<service::worker*> addresses;
  for (service::statistics& own : counts)
    addresses.push_back(&workers.emplace_back(shared, own));

  asio::io_context control{1}; // accepts, and waits for signals
  service::listener listening{control, shared, addresses, where};
  asio::signal_set signals{control, SIGTERM, SIGINT};
  drain_on_signal(signals, listening, workers, shared);
  listening.start();
  std::printf("service: listening on http://%s with %zu threads\n",
              text_of({where.address(), listening.port()}).c_str(), workers.size());
  std::fflush(stdout);

  std::vector<std::thread> threads;
  for (service::worker& w : workers)
    threads.emplace_back([&w] { w.run(); });
  std::thread accepting{[&control] { control.run(); }};
  for (std::thread& t : threads)
    t.join();
  control.stop();
  accepting.join();
  return service::print_final_report(shared);
}

} // namespace

int main(int argc, char** argv) {
  try {
    const service::options chosen = service::parse_options(argc, argv);
    if (chosen.help) {
      std::fputs(service::usage_text().c_str(), stdout);
      return exit_drained;
    }
    return serve(chosen, endpoint_of(chosen)) ? exit_drained : exit_failed;
  } catch (const service::usage_error& error) {
    std::fprintf(stderr, "service: %s\n", error.what.c_str());
    return exit_usage;
  } catch (const service::cannot_listen& error) {
    std::fprintf(stderr, "service: %s\n", error.what.c_str());
    return exit_failed;
  } catch (const std::exception& error) { // no descriptor for a thread's event loop, say
    std::fprintf(stderr, "service: cannot start: %s\n", error.what());
    return exit_failed;
  }
}
