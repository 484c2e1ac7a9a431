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

tp::task<int> hold_as_server(tp::runtime& rt, bool messages, std::size_t count, const std::string& path,
                             int listening) {
  tp::endpoint_options options;
  options.mode = messages ? tp::transmission::message : tp::transmission::byte;
  auto endpoint = rt.owner().bind(path, options);
  must_work(endpoint);
  auto listener = rt.listen(*endpoint);
  must_work(listener);
  if (::write(listening, "", 1) != 1) give_up_errno("say that the server listens");
  std::vector<tp::connection> held;
  held.reserve(count);
  stages seen{"server", count};
  seen.at[0] = memory_now();
  while (held.size() < count) {
    auto peer = co_await listener->accept();
    must_work(peer);
    held.push_back(std::move(*peer));
  }
  seen.at[1] = memory_now();
  std::array<std::byte, 64> bytes{};
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

tp::task<int> hold_as_client(tp::runtime& rt, bool messages, std::size_t count, const std::string& path) {
  const tp::connect_options options{.mode = messages ? tp::transmission::message : tp::transmission::byte};
  std::vector<tp::connection> held;
  held.reserve(count);
  stages seen{"client", count};
  seen.at[0] = memory_now();
  while (held.size() < count) {
    auto server = co_await rt.connect(path, options);
    must_work(server);
    held.push_back(std::move(*server));
  }
  seen.at[1] = memory_now();
  std::array<std::byte, 64> bytes{};
  for (tp::connection& each : held) {
    must_work(co_await each.send(bytes));
    const auto got = co_await each.receive(bytes);
    must_work(got);
  }
  seen.at[2] = memory_now();
  seen.print();
  co_return 0;
}

void allow_descriptors(std::size_t wanted) {
  rlimit limit{};
  ::getrlimit(RLIMIT_NOFILE, &limit);
  if (limit.rlim_max < wanted) give_up("too few descriptors are allowed; lower the number of connections");
  limit.rlim_cur = limit.rlim_max;
  ::setrlimit(RLIMIT_NOFILE, &limit);
}

}  // namespace

int run_idle(bool messages, std::size_t connections, const std::string& path) {
  allow_descriptors(connections + 100);
  int ends[2];
  if (::pipe(ends) != 0) give_up_errno("pipe");
  const pid_t client = ::fork();
  if (client < 0) give_up_errno("fork");
  if (client == 0) {
    ::alarm(60);
    ::close(ends[1]);
    char ready = 0;
    if (::read(ends[0], &ready, 1) != 1) ::_exit(1);
    ::_exit(tp::run([&](tp::process& p) {
      return p.run([&](tp::runtime& rt) { return hold_as_client(rt, messages, connections, path); });
    }));
  }
  ::alarm(60);
  const int code = tp::run([&](tp::process& p) {
    return p.run([&](tp::runtime& rt) { return hold_as_server(rt, messages, connections, path, ends[1]); });
  });
  int status = 0;
  ::waitpid(client, &status, 0);
  return code != 0 || status != 0 ? 1 : 0;
}

}  // namespace bench
