// Resident and allocated memory of many idle connections.
#include "idle.hpp"

#include <malloc.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <fstream>
#include <vector>

#include "session.hpp"
#include "sockets.hpp"
#include "twinpipe/blocking.hpp"
#include "twinpipe/twinpipe.hpp"

namespace bench {
namespace {

struct memory {
  std::size_t resident = 0;
  std::size_t allocated = 0;
};

// proc(5): the second number of statm are resident pages. mallinfo2(3): large blocks are counted apart.
memory memory_now() {
  std::ifstream statm("/proc/self/statm");
  std::size_t total = 0, resident = 0;
  statm >> total >> resident;
  const struct mallinfo2 heap = ::mallinfo2();
  return {resident * static_cast<std::size_t>(::sysconf(_SC_PAGESIZE)), heap.uordblks + heap.hblkhd};
}

template <class Result>
void must_work(const Result& got) {
  if (!got) give_up(got.error().message());
}

/// The memory before there were connections, with them, and after a message each way on each.
struct stages {
  const char* side;
  std::size_t connections;
  std::array<memory, 3> at{};

  void print() const {
    const auto each = [&](std::size_t memory::* which, std::size_t stage) {
      return static_cast<double>(at[stage].*which - at[0].*which) / static_cast<double>(connections);
    };
    std::printf(
        R"({"side": "%s", "resident": %.0f, "allocated": %.0f, "resident_after_message": %.0f, "allocated_after_message": %.0f})"
        "\n",
        side, each(&memory::resident, 1), each(&memory::allocated, 1), each(&memory::resident, 2),
        each(&memory::allocated, 2));
    std::fflush(stdout);
  }
};

/// One side's part.
struct holding {
  idle_manner how;
  std::size_t count;
  std::string path;
  int listening;

  [[nodiscard]] tp::transmission mode() const {
    return how.messages ? tp::transmission::message : tp::transmission::byte;
  }
  [[nodiscard]] tp::endpoint bind(tp::process& p) const {
    tp::endpoint_options options;
    options.mode = mode();
    auto endpoint = p.bind(path, options);
    must_work(endpoint);
    return std::move(*endpoint);
  }
  void say_listening() const {
    if (::write(listening, "", 1) != 1) give_up_errno("say that the server listens");
  }
};

using some_bytes_of_one = std::array<std::byte, 64>;

tp::task<int> hold_as_server(tp::runtime& rt, const holding& part) {
  auto listener = rt.listen(part.bind(rt.owner()));
  must_work(listener);
  part.say_listening();
  std::vector<tp::connection> held;
  held.reserve(part.count);
  stages seen{"server", part.count};
  seen.at[0] = memory_now();
  while (held.size() < part.count) {
    auto peer = co_await listener->accept();
    must_work(peer);
    held.push_back(std::move(*peer));
  }
  seen.at[1] = memory_now();
  some_bytes_of_one bytes{};
  for (tp::connection& each : held) {
    const auto got = co_await each.receive(bytes);
    must_work(got);
    must_work(co_await each.send(bytes));
  }
  seen.at[2] = memory_now();
  seen.print();
  const auto end = co_await held.back().receive(bytes);  // the client has measured, too
  co_return end ? 0 : 1;
}

tp::task<int> hold_as_client(tp::runtime& rt, const holding& part) {
  const tp::connect_options options{.mode = part.mode()};
  std::vector<tp::connection> held;
  held.reserve(part.count);
  stages seen{"client", part.count};
  seen.at[0] = memory_now();
  while (held.size() < part.count) {
    auto server = co_await rt.connect(part.path, options);
    must_work(server);
    held.push_back(std::move(*server));
  }
  seen.at[1] = memory_now();
  some_bytes_of_one bytes{};
  for (tp::connection& each : held) {
    must_work(co_await each.send(bytes));
    const auto got = co_await each.receive(bytes);
    must_work(got);
  }
  seen.at[2] = memory_now();
  seen.print();
  co_return 0;
}

int block_as_server(tp::process& p, const holding& part) {
  auto listener = tp::blocking::listen(p, part.bind(p));
  must_work(listener);
  part.say_listening();
  std::vector<tp::blocking::connection> held;
  held.reserve(part.count);
  stages seen{"server", part.count};
  seen.at[0] = memory_now();
  while (held.size() < part.count) {
    auto peer = listener->accept();
    must_work(peer);
    held.push_back(std::move(*peer));
  }
  seen.at[1] = memory_now();
  some_bytes_of_one bytes{};
  for (tp::blocking::connection& each : held) {
    must_work(each.receive(bytes));
    must_work(each.send(bytes));
  }
  seen.at[2] = memory_now();
  seen.print();
  return held.back().receive(bytes) ? 0 : 1;  // the client has measured, too
}

int block_as_client(tp::process& p, const holding& part) {
  std::vector<tp::blocking::connection> held;
  held.reserve(part.count);
  stages seen{"client", part.count};
  seen.at[0] = memory_now();
  while (held.size() < part.count) {
    auto server = tp::blocking::connect(p, part.path, {.mode = part.mode()});
    must_work(server);
    held.push_back(std::move(*server));
  }
  seen.at[1] = memory_now();
  some_bytes_of_one bytes{};
  for (tp::blocking::connection& each : held) {
    must_work(each.send(bytes));
    must_work(each.receive(bytes));
  }
  seen.at[2] = memory_now();
  seen.print();
  return 0;
}

int hold(const holding& part, session::side side) {
  const bool serves = side == session::side::server;
  return tp::run([&](tp::process& p) {
    if (part.how.blocking) return serves ? block_as_server(p, part) : block_as_client(p, part);
    return p.run(
        [&](tp::runtime& rt) { return serves ? hold_as_server(rt, part) : hold_as_client(rt, part); });
  });
}

void allow_descriptors(std::size_t wanted) {
  rlimit limit{};
  ::getrlimit(RLIMIT_NOFILE, &limit);
  if (limit.rlim_max < wanted) give_up("too few descriptors are allowed; lower the number of connections");
  limit.rlim_cur = limit.rlim_max;
  ::setrlimit(RLIMIT_NOFILE, &limit);
}

}  // namespace

int run_idle(const idle_manner& how, std::size_t connections, const std::string& path) {
  allow_descriptors(connections + 100);
  int ends[2];
  if (::pipe(ends) != 0) give_up_errno("pipe");
  const holding part{how, connections, path, ends[1]};
  const pid_t client = ::fork();
  if (client < 0) give_up_errno("fork");
  ::alarm(60);
  if (client == 0) {
    ::close(ends[1]);
    char ready = 0;
    if (::read(ends[0], &ready, 1) != 1) ::_exit(1);
    ::_exit(hold(part, session::side::client));
  }
  const int code = hold(part, session::side::server);
  int status = 0;
  ::waitpid(client, &status, 0);
  return code != 0 || status != 0 ? 1 : 0;
}

}  // namespace bench
