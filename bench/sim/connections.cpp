// Memory of connections on which nothing happens.
#include <malloc.h>

#include <vector>

#include "measured.hpp"
#include "twinpipe/twinpipe.hpp"
#include "workloads.hpp"

namespace bench {
namespace {

// mallinfo2(3): large blocks are counted apart.
double allocated() {
  const struct mallinfo2 heap = ::mallinfo2();
  return static_cast<double>(heap.uordblks + heap.hblkhd);
}

tp::task<int> take_all(tp::runtime& rt, std::size_t count, std::vector<tp::connection>& into) {
  auto served = rt.owner().bind("many", {.backlog = 4096});
  auto door = rt.listen(*served);
  while (into.size() < count) {
    auto client = co_await door->accept();
    if (!client) co_return 1;
    into.push_back(std::move(*client));
  }
  co_return 0;
}

tp::task<int> make_all(tp::runtime& rt, std::size_t count, std::vector<tp::connection>& into) {
  while (into.size() < count) {
    auto server = co_await rt.connect("many", {.wait_for_server = true});
    if (!server) co_return 1;
    into.push_back(std::move(*server));
  }
  co_return 0;
}

/// Bytes of that many connections in one world, both ends, all else included.
figure memory_of(std::size_t count) {
  double taken = 0;
  const auto seen = tp::sim::explore({.runs = 1, .most_steps = UINT64_MAX}, [&](tp::sim::world& world) {
    const auto u = world.user("u");
    world.process("both", u, [&](tp::process& p) {
      const double before = allocated();
      std::vector<tp::connection> servers, clients;
      servers.reserve(count);
      clients.reserve(count);
      auto made = tp::runtime::create(p);
      tp::runtime& rt = **made;
      const int code = rt.run([](tp::runtime& on, std::size_t n, auto& near, auto& far) -> tp::task<int> {
        tp::task_group group;
        int failed = 0;
        const auto run = [](tp::task<int> what, int& into) -> tp::task<void> {
          into |= co_await std::move(what);
        };
        group.start(run(take_all(on, n, far), failed));
        group.start(run(make_all(on, n, near), failed));
        static_cast<void>(co_await group.join());
        co_return failed;
      }(rt, count, clients, servers));
      taken = allocated() - before;
      clients.clear();
      servers.clear();
      return code;
    });
  });
  return {taken, seen.hash};
}

}  // namespace

figure idle_connection(double scale) {
  const auto count = static_cast<std::size_t>(10'000 * scale) + 10;
  const auto [bytes, hash] = memory_of(count);
  return {bytes / static_cast<double>(count), hash};
}

figure many_connections(double scale) {
  const auto [bytes, hash] = memory_of(static_cast<std::size_t>(100'000 * scale) + 10);
  return {bytes / (1 << 20), hash};
}

}  // namespace bench
