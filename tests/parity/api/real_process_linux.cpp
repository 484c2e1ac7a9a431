// Orders go to a process over a socket pair, one at a time; it answers each when it is done, and does nothing
// in between.
#include "real_process.hpp"

#include <grp.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <utility>

#include "actor.hpp"

namespace tp::test::parity::api {

namespace {

constexpr std::size_t most_ended = 64;  ///< in one report

void demand(bool worked, const char* what) {
  if (worked) return;
  std::perror(what);
  std::abort();
}

/// All of the process, for good: as if that user had started it.
void be_for_good(const real_user& user) {
  if (user.uid == ::geteuid()) return;
  demand(::setgroups(user.groups.size(), user.groups.data()) == 0, "setgroups");
  demand(::setresgid(user.gid, user.gid, user.gid) == 0, "setresgid");
  demand(::setresuid(user.uid, user.uid, user.uid) == 0, "setresuid");
  // A change of users takes it away, and with it what others may know of the process (proc(5)).
  demand(::prctl(PR_SET_DUMPABLE, 1) == 0, "PR_SET_DUMPABLE");
}

}  // namespace

struct real_process::order {
  enum class kind : std::uint8_t { start, sweep, wait } what;
  step s;
};

struct real_process::report {
  std::uint32_t moved = 0, count = 0;
  std::array<completion, most_ended> ended{};
};

real_process::real_process(const setting& where, const real_user& user) {
  std::array<int, 2> ends{};
  demand(::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends.data()) == 0, "socketpair");
  std::fflush(nullptr);
  const int parent = ::getpid();
  pid_ = ::fork();
  demand(pid_ >= 0, "fork");
  if (pid_ == 0) {
    for (const int each : {SIGABRT, SIGSEGV}) std::signal(each, SIG_DFL);  // Catch2's would report here too
    ::close(ends[0]);
    be_for_good(user);
    // A change of users clears it, so only now. Who is an orphan already gets no signal any more.
    demand(::prctl(PR_SET_PDEATHSIG, SIGKILL) == 0, "PR_SET_PDEATHSIG");
    if (::getppid() != parent) std::_Exit(0);
    obey(ends[1], where);
    std::_Exit(0);
  }
  ::close(ends[1]);
  channel_ = ends[0];
}

real_process::real_process(real_process&& other) noexcept
    : channel_(std::exchange(other.channel_, -1)),
      pid_(std::exchange(other.pid_, -1)),
      ended_(std::move(other.ended_)),
      accident_(std::move(other.accident_)) {}

real_process::~real_process() {
  crash();
}

void real_process::crash() {
  if (pid_ < 0) return;
  ::kill(pid_, SIGKILL);
  ::waitpid(pid_, nullptr, 0);
  ::close(channel_);
  pid_ = channel_ = -1;
}

void real_process::obey(int channel, const setting& where) {
  const auto obeying = [&](process& self) {
    const auto own = make_actor(self, where, where.blocking);
    actor& playing = *own;
    order o{};
    while (::recv(channel, &o, sizeof o, 0) == static_cast<ssize_t>(sizeof o)) {
      report r;
      if (o.what == order::kind::start) playing.start(o.s);
      const time_point enough = playing.now() + std::chrono::seconds(10);
      while (o.what == order::kind::wait && playing.waits_for(o.s.op) && playing.now() < enough)
        playing.turn(enough);
      // Twice nothing: a turn may only have told the system what it is waiting for.
      for (int idle = 0; o.what == order::kind::sweep && idle < 2; ++idle) {
        while (playing.turn(time_point::min())) r.moved = 1, idle = 0;
      }
      for (const completion& c : playing.take()) r.ended.at(r.count++) = c;
      const std::size_t bytes = offsetof(report, ended) + r.count * sizeof(completion);
      if (::send(channel, &r, bytes, MSG_NOSIGNAL) < 0) break;
    }
    return 0;
  };
  static_cast<void>(tp::run(obeying));
}

bool real_process::ask(const order& what) {
  if (pid_ < 0) return false;
  report r;
  const bool sent = ::send(channel_, &what, sizeof what, MSG_NOSIGNAL) == static_cast<ssize_t>(sizeof what);
  if (!sent || ::recv(channel_, &r, sizeof r, 0) <= 0) {
    int status = 0;
    ::waitpid(pid_, &status, 0);
    accident_ = "the process with pid " + std::to_string(pid_) +
                (WIFSIGNALED(status) ? " was ended by signal " + std::to_string(WTERMSIG(status))
                                     : " ended with " + std::to_string(WEXITSTATUS(status)));
    ::close(channel_);
    pid_ = channel_ = -1;
    return false;
  }
  ended_.insert(ended_.end(), r.ended.begin(), r.ended.begin() + r.count);
  return r.moved != 0;
}

void real_process::start(const step& s) {
  ask({.what = order::kind::start, .s = s});
}

bool real_process::sweep() {
  return ask({.what = order::kind::sweep, .s = {.what = verb::look}});
}

void real_process::wait_for(std::uint16_t op) {
  ask({.what = order::kind::wait, .s = {.what = verb::look, .op = op}});
}

}  // namespace tp::test::parity::api
