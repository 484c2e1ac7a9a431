// Forking, pinning, and the way back of the reports.
#include "pair.hpp"

#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <cstdlib>
#include <string>

#include "sockets.hpp"

namespace bench {
namespace {

constexpr unsigned seconds_at_most = 60;

struct pipe_ends {
  descriptor reading;
  descriptor writing;
};

pipe_ends make_pipe() {
  int ends[2];
  if (::pipe2(ends, O_CLOEXEC) != 0) give_up_errno("pipe");
  return {descriptor(ends[0]), descriptor(ends[1])};
}

pid_t start(const contender& who, const job& work, session::side side, int cores, outward wires) {
  const pid_t child = ::fork();
  if (child < 0) give_up_errno("fork");
  if (child > 0) return child;
  ::alarm(seconds_at_most);
  pin(cores, side);
  session s(work, side, wires);
  (side == session::side::server ? who.serve : who.ask)(s);
  ::_exit(0);
}

report take_report(const pipe_ends& from) {
  report got;
  if (::read(from.reading.get(), &got, sizeof got) != sizeof got) give_up("a report is missing");
  return got;
}

bool succeeds(pid_t child) {
  int status = 0;
  while (::waitpid(child, &status, 0) < 0)
    if (errno != EINTR) give_up_errno("waitpid");
  return status == 0;
}

// Whoever fails first takes the other along.
bool both_succeed(pid_t server, pid_t client) {
  int status = 0;
  const pid_t first = ::waitpid(-1, &status, 0);
  const pid_t second = first == server ? client : server;
  if (status != 0) ::kill(second, SIGKILL);
  return succeeds(second) && status == 0;
}

}  // namespace

// The last cores of those allowed: interrupts tend to go to the first.
void pin(int cores, session::side side) {
  if (cores == 0) return;
  cpu_set_t allowed;
  if (::sched_getaffinity(0, sizeof allowed, &allowed) != 0) give_up_errno("sched_getaffinity");
  int wanted = cores == 2 && side == session::side::client ? 1 : 0;
  for (int cpu = CPU_SETSIZE - 1; cpu >= 0; --cpu) {
    if (!CPU_ISSET(cpu, &allowed) || wanted-- > 0) continue;
    cpu_set_t one;
    CPU_ZERO(&one);
    CPU_SET(cpu, &one);
    if (::sched_setaffinity(0, sizeof one, &one) != 0) give_up_errno("sched_setaffinity");
    return;
  }
  give_up("not enough cores");
}

std::optional<pair_report> run_pair(const contender& who, const job& work, int cores) {
  pipe_ends listening = make_pipe();
  const pipe_ends from_server = make_pipe();
  const pipe_ends from_client = make_pipe();
  const pid_t server =
      start(who, work, session::side::server, cores, {listening.writing.get(), from_server.writing.get()});
  listening.writing = descriptor(-1);
  char ready = 0;
  if (::read(listening.reading.get(), &ready, 1) != 1) {
    static_cast<void>(succeeds(server));
    return std::nullopt;
  }
  const pid_t client = start(who, work, session::side::client, cores, {-1, from_client.writing.get()});
  if (!both_succeed(server, client)) return std::nullopt;
  return pair_report{take_report(from_server), take_report(from_client)};
}

}  // namespace bench
