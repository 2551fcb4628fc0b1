#pragma once

#include <doctest/doctest.h>

#include <cerrno>
#include <csignal>
#include <cstddef>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <string>
#include <string_view>

#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

namespace support {

/// How a forked child ended, and what it wrote to stderr.
struct ending {
  int status = 0; // as from waitpid
  std::string output;

  [[nodiscard]] bool exited(int code) const { return WIFEXITED(status) && WEXITSTATUS(status) == code; }
  [[nodiscard]] bool was_killed_by(int signal) const { return WIFSIGNALED(status) && WTERMSIG(status) == signal; }
  [[nodiscard]] bool says(std::string_view text) const { return output.find(text) != std::string::npos; }
};

[[noreturn]] inline void give_up(const char* what) {
  std::perror(what);
  std::abort();
}

/// Runs `f` in a forked child, which exits with 0 when f returns, and aborts when an exception comes out of it. POSIX
/// only; no thread but this one may be running anything that f needs.
template <class F>
ending ending_of(F f) {
  int ends[2];
  if (pipe(ends) != 0) give_up("pipe");
  std::fflush(nullptr);
  const pid_t child = fork();
  if (child == -1) give_up("fork");
  if (child == 0) {
    for (const int s : {SIGABRT, SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGTERM})
      std::signal(s, SIG_DFL); // doctest's are set
    const rlimit no_core{0, 0};
    setrlimit(RLIMIT_CORE, &no_core);
    dup2(ends[1], STDERR_FILENO);
    close(ends[0]);
    std::set_terminate(std::abort);
    [&]() noexcept { f(); }(); // noexcept: else doctest's handlers, up the stack, would go on in the child
    std::fflush(stderr);
    _exit(0);
  }
  close(ends[1]);
  ending result;
  char text[4096];
  for (ssize_t n; (n = read(ends[0], text, sizeof text)) > 0 || (n == -1 && errno == EINTR);) {
    if (n > 0) result.output.append(text, static_cast<std::size_t>(n));
  }
  close(ends[0]);
  while (waitpid(child, &result.status, 0) == -1) {
    if (errno != EINTR) give_up("waitpid");
  }
  return result;
}

/// What `f` says on stderr when it ends the program by abort; nothing where it ends in another way.
template <class F>
std::string last_words(F f) {
  ending end = ending_of(f);
  if (end.was_killed_by(SIGABRT)) return end.output;
  MESSAGE("wait status " << end.status << ", stderr: " << end.output);
  return {};
}

/// True where `f` ends the program by abort and says `text` on stderr: `CHECK(dies([&] { arena.deallocate(p, 8, 3); },
/// "is_alignment"))`. A broken precondition does so at check level 1 only.
template <class F>
bool dies(F f, std::string_view text = {}) {
  const ending end = ending_of(f);
  if (end.was_killed_by(SIGABRT) && end.says(text)) return true;
  MESSAGE("wait status " << end.status << ", stderr: " << end.output);
  return false;
}

} // namespace support

using support::dies;
