// A conversation, then silence: the CPU time of the silence.
#include "rest.hpp"

#include <sched.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <array>
#include <chrono>
#include <cstdio>

#include "pair.hpp"
#include "twinpipe/twinpipe.hpp"

namespace bench {
namespace {

using namespace std::chrono_literals;

constexpr int round_trips = 5000;
/// Twenty times what a spin may take.
constexpr auto until_at_rest = 1ms;

struct at_rest {
  session::side side;
  tp::wait_strategy wait;
  std::chrono::milliseconds duration;
  std::string path;
  int listening;
};

std::uint64_t cpu_now() {
  timespec now{};
  ::clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
  return static_cast<std::uint64_t>(now.tv_sec) * 1'000'000'000 + static_cast<std::uint64_t>(now.tv_nsec);
}

// getrusage(2): how often the process gave up the processor to wait.
long sleeps_now() {
  rusage used{};
  ::getrusage(RUSAGE_SELF, &used);
  return used.ru_nvcsw;
}

template <class Result>
void must_succeed(const Result& got) {
  if (!got) give_up(got.error().message());
}

tp::task<void> converse(tp::connection& with, bool first) {
  std::array<std::byte, 64> bytes{};
  for (int i = 0; i < round_trips; ++i) {
    if (first) must_succeed(co_await with.send(bytes));
    for (std::span<std::byte> into = bytes; !into.empty();) {
      const auto got = co_await with.receive(into);
      must_succeed(got);
      if (got->end) give_up("the peer left too early");
      into = into.subspan(got->bytes);
    }
    if (!first) must_succeed(co_await with.send(bytes));
  }
}

tp::task<void> receive_farewell(tp::connection& from) {
  std::array<std::byte, 1> bye{};
  must_succeed(co_await from.receive(bye));
}

tp::task<tp::connection> meet(tp::runtime& rt, const at_rest& how) {
  if (how.side == session::side::client) {
    auto server = co_await rt.connect(how.path, {.wait_for_server = true});
    must_succeed(server);
    co_return std::move(*server);
  }
  auto endpoint = rt.owner().bind(how.path);
  must_succeed(endpoint);
  auto listener = rt.listen(*endpoint);
  must_succeed(listener);
  if (::write(how.listening, "", 1) != 1) give_up_errno("say that the server listens");
  auto client = co_await listener->accept();
  must_succeed(client);
  co_return std::move(*client);
}

tp::task<int> rest(tp::runtime& rt, const at_rest& how) {
  const bool is_client = how.side == session::side::client;
  tp::connection peer = co_await meet(rt, how);
  const long slept = sleeps_now();
  co_await converse(peer, is_client);
  const double sleeps = static_cast<double>(sleeps_now() - slept) / round_trips;
  tp::task_group waits;  // each side for the other, all the time
  waits.start(receive_farewell(peer));
  must_succeed(co_await rt.sleep(until_at_rest));
  const std::uint64_t before = cpu_now();
  must_succeed(co_await rt.sleep(how.duration));
  const std::uint64_t used = cpu_now() - before;
  std::printf(R"({"side": "%s", "cpu_ns": %llu, "sleeps": %.2f})"
              "\n",
              is_client ? "client" : "server", static_cast<unsigned long long>(used), sleeps);
  std::fflush(stdout);
  // The client has heard the last word, so it rests a little longer and speaks first.
  if (is_client) must_succeed(co_await peer.send("."));
  must_succeed(co_await waits.join());
  if (!is_client) must_succeed(co_await peer.send("."));
  co_return 0;
}

int run_side(const at_rest& how) {
  ::alarm(60);
  pin(static_cast<int>(std::min(2L, ::sysconf(_SC_NPROCESSORS_ONLN))), how.side);
  return tp::run([&](tp::process& p) {
    return p.run([&](tp::runtime& rt) { return rest(rt, how); }, {.wait = how.wait});
  });
}

}  // namespace

int run_rest(tp::wait_strategy wait, std::uint64_t milliseconds, const std::string& path) {
  int ends[2];
  if (::pipe(ends) != 0) give_up_errno("pipe");
  at_rest how{session::side::client, wait, std::chrono::milliseconds(milliseconds), path, ends[1]};
  const pid_t client = ::fork();
  if (client < 0) give_up_errno("fork");
  if (client == 0) {
    ::close(ends[1]);
    char ready = 0;
    if (::read(ends[0], &ready, 1) != 1) ::_exit(1);
    ::_exit(run_side(how));
  }
  how.side = session::side::server;
  const int code = run_side(how);
  int status = 0;
  ::waitpid(client, &status, 0);
  return code != 0 || status != 0 ? 1 : 0;
}

}  // namespace bench
