// What it costs in calls of the kernel to connect and to be connected to, once that has happened before.
#include <unistd.h>

#include "platform_support.hpp"
#include "support/skip.hpp"
#include "system_calls.hpp"
#include "twinpipe/blocking.hpp"
#include "twinpipe/process.hpp"
#include "twinpipe/task_group.hpp"

namespace tp::test {
namespace {

constexpr int before = 3;  // what is learnt is learnt by then

// So many clients, one after the other; each stays until it leaves.
child blocking_server(const std::string& name, int clients) {
  return child([name, clients](const child::handle& parent) {
    rig twin;
    tp::process self(*twin.process);
    const endpoint at = self.bind(name).value();
    auto listener = blocking::listen(self, at);
    parent.tell();
    for (int i = 0; i < clients; ++i) {
      auto client = listener->accept();
      tp::buffer rest;
      if (!client || !client->receive(rest)) return 1;
    }
    return 0;
  });
}

std::string calls_of_blocking_connect(const std::string& name, const blocking::limits& how) {
  return system_calls([&](const traced_piece& trace) {
    child server = blocking_server(name, before + 1);
    server.await();
    rig twin;
    tp::process self(*twin.process);
    for (int i = 0; i < before; ++i)
      if (!blocking::connect(self, name, {}, how)) ::_exit(2);
    trace([&] {
      if (!blocking::connect(self, name, {}, how)) ::_exit(3);
    });
    if (server.wait() != 0) ::_exit(4);
  });
}

task<void> accept_next(listener& from, std::optional<connection>& into) {
  into = std::move(*co_await from.accept());
}

// A client and its server, in one thread.
task<int> meet(runtime& rt, listener& at, std::string name) {
  std::optional<connection> server;
  task_group others;
  others.start(accept_next(at, server));
  auto client = co_await rt.connect(name);
  static_cast<void>(co_await others.join());
  co_return client.has_value() && server.has_value() ? 0 : 1;
}

// How often a loop polls, and whether a change of interest takes libuv two calls, as 1.44, is its own affair.
std::string without_polls(std::string calls) {
  const auto without = [&calls](std::string_view what, std::size_t kept) {
    for (std::size_t at = 0; (at = calls.find(what, at)) != std::string::npos;)
      calls.erase(at, what.size() - kept);
  };
  without(" epoll_wait", 0);
  without(" epoll_ctl epoll_ctl", std::string_view(" epoll_ctl").size());
  return calls;
}

}  // namespace

TEST_CASE("a blocking connect that isn't the first opens nothing, and waits in one call") {
  if (!can_trace()) return skip("needs ptrace(2) of a child");
  if (!rig().process->features().exit_handle) return skip("this kernel has no SO_PEERPIDFD (Linux 6.5)");
  temporary_directory directory;
  const std::string way = "stat stat socket connect getsockopt getsockopt poll ioctl send ";
  CHECK(calls_of_blocking_connect(directory / "a", {}) == way + "recv close");
  const std::stop_source never_stopped;
  CHECK(calls_of_blocking_connect(directory / "b", {.unless = never_stopped.get_token()}) ==
        way + "poll recv close");
}

TEST_CASE("a blocking connect whose time is up makes its one attempt, however many there were before") {
  rig twin;
  tp::process self(*twin.process);
  temporary_directory directory;
  const tp::blocking::limits no_time{.within = std::chrono::seconds(0)};
  for (int i = 0; i < 600; ++i) {
    CAPTURE(i);
    REQUIRE(tp::blocking::connect(self, directory / "nobody", {}, no_time).error() == tp::errc::not_found);
  }
}

TEST_CASE("an accept and a connect on one loop watch one descriptor, and it takes no call to hand one over") {
  if (!can_trace()) return skip("needs ptrace(2) of a child");
  if (!rig().process->features().exit_handle) return skip("this kernel has no SO_PEERPIDFD (Linux 6.5)");
  temporary_directory directory;
  const std::string calls = system_calls([&](const traced_piece& trace) {
    rig twin;
    tp::process self(*twin.process);
    const auto rt = tp::runtime::create(self).value();
    auto listener = rt->listen(self.bind(directory / "a").value());
    for (int i = 0; i < before; ++i) static_cast<void>(rt->run(meet(*rt, *listener, directory / "a")));
    trace([&] {
      if (rt->run(meet(*rt, *listener, directory / "a")) != 0) ::_exit(2);
    });
  });
  CHECK(without_polls(calls) ==
        "stat stat socket connect getsockopt getsockopt poll send recv epoll_ctl "
        "accept getsockopt getsockopt poll recv send recv epoll_ctl close close");
}

}  // namespace tp::test
