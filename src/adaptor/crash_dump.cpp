#include <allot/adaptor/crash_dump.hpp>
#include <allot/adaptor/trace_stamps.hpp>
#include <allot/core/claim_flag.hpp>

#if defined(__unix__) || defined(__APPLE__)
#include <array>
#include <atomic>
#include <cerrno>

#include <poll.h>
#include <signal.h> // NOLINT(modernize-deprecated-headers): that of POSIX, which has sigaction
#endif

namespace allot::inline ALLOT_ABI {

#if defined(__unix__) || defined(__APPLE__)

namespace {

constexpr std::array crash_signals{SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT};
constexpr int to_stderr = 2;

constinit claim_flag installed;
constinit detail::crash_target target{};
constinit std::array<struct sigaction, crash_signals.size()> previous{};
constinit std::atomic<std::size_t> dumping_thread{0}; // 0: none crashed yet
constinit std::atomic<bool> is_dumped{false};
alignas(16) constinit std::array<std::byte, std::size_t{64} * 1024> first_stack{};

/// \return false where the thread has an alternate stack already, or may not have one
bool set_alternate_stack(void* bytes, std::size_t size) noexcept {
  stack_t now{};
  if (sigaltstack(nullptr, &now) != 0 || (now.ss_flags & SS_DISABLE) == 0) return false;
  stack_t wanted{};
  wanted.ss_sp = bytes;
  wanted.ss_size = size;
  return sigaltstack(&wanted, nullptr) == 0;
}

void wait_for_dump() noexcept {
  for (int turns = 0; turns < 2000 && !is_dumped.load(std::memory_order_acquire); ++turns)
    poll(nullptr, 0, 1); // a millisecond; nanosleep is none of the functions that POSIX allows here
}

/// The first thread that crashes dumps. A crash inside of its own dump goes on at once.
void dump_once() noexcept {
  const std::size_t self = trace_thread();
  std::size_t owner = 0;
  if (dumping_thread.compare_exchange_strong(owner, self)) {
    target.dump(target.ring, to_stderr);
    is_dumped.store(true, std::memory_order_release);
  } else if (owner != self) {
    wait_for_dump();
  }
}

/// Whether the instruction that was interrupted raises the signal again when it is run again.
bool is_a_fault(int signal, const siginfo_t& info) noexcept {
#ifdef BUS_MCEERR_AO
  if (signal == SIGBUS && info.si_code == BUS_MCEERR_AO) return false; // bad memory was found, but nothing used it
#endif
  // What is sent has a code of zero or less on Linux, one from SI_USER up on the BSDs.
  return signal != SIGABRT && info.si_code > 0 && (SI_USER <= 0 || info.si_code < SI_USER);
}

void on_crash(int signal, siginfo_t* info, void*) {
  const int errno_before = errno;
  dump_once();
  for (std::size_t i = 0; i < crash_signals.size(); ++i) {
    if (crash_signals[i] == signal) sigaction(signal, &previous[i], nullptr);
  }
  // The signal is blocked until this returns: then whoever had it before gets it, with all that a fault says of itself.
  if (!is_a_fault(signal, *info)) raise(signal);
  errno = errno_before;
}

} // namespace

bool detail::dump_on_crash(const crash_target& wanted) noexcept {
  if (!installed.claim()) return false;
  target = wanted;
  set_alternate_stack(first_stack.data(), first_stack.size());
  struct sigaction action {};
  action.sa_sigaction = on_crash;
  action.sa_flags = SA_SIGINFO | SA_ONSTACK;
  sigemptyset(&action.sa_mask);
  for (std::size_t i = 0; i < crash_signals.size(); ++i) {
    sigaction(crash_signals[i], nullptr, &previous[i]); // before ours is there: a crash in between finds it
    sigaction(crash_signals[i], &action, nullptr);
  }
  return true;
}

crash_stack::crash_stack() noexcept : is_set_{set_alternate_stack(bytes_, sizeof bytes_)} {}

crash_stack::~crash_stack() {
  stack_t now{};
  if (!is_set_ || sigaltstack(nullptr, &now) != 0 || now.ss_sp != bytes_) return; // the thread has another one since
  stack_t none{};
  none.ss_flags = SS_DISABLE;
  sigaltstack(&none, nullptr);
}

#else

bool detail::dump_on_crash(const crash_target&) noexcept { return false; }
crash_stack::crash_stack() noexcept {}
crash_stack::~crash_stack() {}

#endif

} // namespace allot::inline ALLOT_ABI
