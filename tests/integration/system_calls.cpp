// Counting by ptrace(2): the child marks the beginning and the end of a piece by a call that doesn't exist.
#include "system_calls.hpp"

#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <optional>
#include <utility>

namespace tp::test {
namespace {

constexpr long begins = 100001, ends = 100002;

std::string name_of_call(long number) {
  static constexpr std::pair<long, const char*> names[] = {
      {SYS_read, "read"},
      {SYS_write, "write"},
      {SYS_readv, "readv"},
      {SYS_writev, "writev"},
      {SYS_recvfrom, "recv"},
      {SYS_recvmsg, "recvmsg"},
      {SYS_sendto, "send"},
      {SYS_sendmsg, "sendmsg"},
      {SYS_ppoll, "poll"},
      {SYS_fcntl, "fcntl"},
      {SYS_ioctl, "ioctl"},
      {SYS_getsockopt, "getsockopt"},
      {SYS_futex, "futex"},
      {SYS_setsockopt, "setsockopt"},
      {SYS_shutdown, "shutdown"},
      {SYS_openat, "open"},
      {SYS_close, "close"},
      {SYS_socket, "socket"},
      {SYS_connect, "connect"},
      {SYS_accept4, "accept"},
      {SYS_epoll_ctl, "epoll_ctl"},
      {SYS_epoll_pwait, "epoll_wait"},
      {SYS_faccessat, "access"},
#ifdef SYS_epoll_wait
      {SYS_epoll_wait, "epoll_wait"},
      {SYS_access, "access"},
#endif
#ifdef SYS_newfstatat
      {SYS_newfstatat, "stat"},
#endif
#ifdef SYS_poll
      {SYS_poll, "poll"},
#endif
  };
  for (const auto& [of, name] : names)
    if (of == number) return name;
  return {};
}

void child_of_tracer(const std::function<void(const traced_piece&)>& body) {
  if (::ptrace(PTRACE_TRACEME, 0, nullptr, nullptr) != 0) ::_exit(1);
  ::raise(SIGSTOP);
  body([](const std::function<void()>& piece) {
    ::syscall(begins);
    piece();
    ::syscall(ends);
  });
  ::_exit(0);
}

// Lets it go on to its next stop; the number of the call that it enters there, if it does.
std::optional<long> next_call(pid_t child, int& state) {
  const int stop = WSTOPSIG(state);
  const int signal = stop == SIGSTOP || (stop & 0x80) != 0 ? 0 : stop;
  ::ptrace(PTRACE_SYSCALL, child, nullptr, signal);
  if (::waitpid(child, &state, 0) != child) state = 0;
  if (!WIFSTOPPED(state) || WSTOPSIG(state) != (SIGTRAP | 0x80)) return {};
  __ptrace_syscall_info info{};
  ::ptrace(PTRACE_GET_SYSCALL_INFO, child, sizeof info, &info);
  if (info.op != PTRACE_SYSCALL_INFO_ENTRY) return {};
  return static_cast<long>(info.entry.nr);
}

}  // namespace

std::string system_calls(const std::function<void(const traced_piece&)>& body) {
  const pid_t child = ::fork();
  if (child == 0) child_of_tracer(body);
  int state = 0;
  if (::waitpid(child, &state, 0) != child || !WIFSTOPPED(state)) return "failed";
  ::ptrace(PTRACE_SETOPTIONS, child, nullptr, PTRACE_O_TRACESYSGOOD | PTRACE_O_EXITKILL);
  std::string names;
  bool inside = false;
  while (WIFSTOPPED(state)) {
    const std::optional<long> call = next_call(child, state);
    if (!call) continue;
    if (*call == begins || *call == ends) inside = *call == begins;
    const std::string name = inside ? name_of_call(*call) : std::string();
    if (!name.empty()) names += (names.empty() ? "" : " ") + name;
  }
  return WIFEXITED(state) && WEXITSTATUS(state) == 0 ? names : "failed";
}

bool can_trace() {
  return system_calls(
             [](const traced_piece& trace) { trace([] { ::syscall(SYS_read, -1, nullptr, 0); }); }) == "read";
}

}  // namespace tp::test
