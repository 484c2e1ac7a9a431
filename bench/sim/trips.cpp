// Round trips of 64 bytes, and whole worlds for five of them.
#include <array>
#include <optional>

#include "measured.hpp"
#include "twinpipe/twinpipe.hpp"
#include "workloads.hpp"

namespace bench {
namespace {

using namespace tp::backend;

/// One side at the seam: reads 64 bytes, writes them back, so many times.
struct side {
  side(byte_stream& s, long n, bool first) : stream(s), left(n) {
    read.on_done = [](op& o) noexcept { static_cast<side*>(o.context)->go_on(true); };
    write.on_done = [](op& o) noexcept { static_cast<side*>(o.context)->go_on(false); };
    read.context = write.context = this;
    if (first)
      go_on(true);
    else
      go_on(false);
  }
  /// `has_read`: it is this side's turn to write.
  void go_on(bool has_read) noexcept {
    while (left > 0) {
      if (has_read) {
        --left;
        whole = std::span<const std::byte>(bytes);
        write.buffers = std::span(&whole, 1);
        if (stream.write(write) == start::pending) return;
      }
      read.into = bytes;
      has_read = true;
      if (left == 0 || stream.read(read) == start::pending) return;
    }
  }
  byte_stream& stream;
  long left;
  std::array<std::byte, 64> bytes{};
  const_buffer whole;
  read_op read;
  write_op write;
};

void play(tp::process& p, bool serves, long count) {
  const auto system = std::move(*p.twin().make_system());
  detached_ptr mine;
  std::shared_ptr<bound_name> name;
  acceptor_ptr door;
  const auto called = *tp::endpoint_name::parse("trips");
  if (serves) {
    name = *p.twin().names().bind({.name = called, .runtime_directory = {}});
    door = std::move(*system->open(name));
    bool done = false;
    accept_op accept([](op& o) noexcept { *static_cast<bool*>(o.context) = true; }, &done);
    if (door->accept(accept) == start::pending)
      while (!done) system->turn(tp::never);
    mine = std::move(accept.stream);
  }
  while (!mine) {
    bool done = false;
    connect_op connect([](op& o) noexcept { *static_cast<bool*>(o.context) = true; }, &done);
    connect.name = &called;
    if (system->connect(connect) == start::pending)
      while (!done) system->turn(tp::never);
    mine = std::move(connect.stream);
    if (!mine) p.sleep(std::chrono::milliseconds(1));
  }
  const auto stream = std::move(*system->attach(std::move(mine), attachment::established));
  side self(*stream, count, !serves);
  while (self.left > 0 || self.write.pending()) system->turn(tp::never);
}

tp::task<int> serve(tp::runtime& rt, long count) {
  auto served = rt.owner().bind("trips");
  auto door = rt.listen(*served);
  auto client = co_await door->accept();
  if (!client) co_return 1;
  std::array<std::byte, 64> bytes;
  for (long i = 0; i < count; ++i) {
    const auto got = co_await client->receive(std::span<std::byte>(bytes));
    if (!got || got->end) co_return 1;
    const auto sent = co_await client->send(std::span<const std::byte>(bytes));
    if (!sent) co_return 1;
  }
  co_return 0;
}

tp::task<int> ask(tp::runtime& rt, long count) {
  auto server = co_await rt.connect("trips", {.wait_for_server = true});
  if (!server) co_return 1;
  std::array<std::byte, 64> bytes{};
  for (long i = 0; i < count; ++i) {
    const auto sent = co_await server->send(std::span<const std::byte>(bytes));
    if (!sent) co_return 1;
    const auto got = co_await server->receive(std::span<std::byte>(bytes));
    if (!got || got->end) co_return 1;
  }
  co_return 0;
}

tp::sim::scenario public_trips(long count) {
  return [=](tp::sim::world& world) {
    const auto u = world.user("u");
    world.process("server", u,
                  [=](tp::process& p) { return p.run([=](tp::runtime& rt) { return serve(rt, count); }); });
    world.process("client", u,
                  [=](tp::process& p) { return p.run([=](tp::runtime& rt) { return ask(rt, count); }); });
  };
}

}  // namespace

figure seam_round_trips(double scale) {
  const long count = static_cast<long>(4'000'000 * scale) + 1;
  return rate(static_cast<double>(count), [=](tp::sim::world& world) {
    const auto u = world.user("u");
    for (const bool serves : {true, false}) {
      world.process(serves ? "server" : "client", u, [=](tp::process& p) {
        play(p, serves, count);
        return 0;
      });
    }
  });
}

figure round_trips(double scale) {
  const long count = static_cast<long>(2'000'000 * scale) + 1;
  return rate(static_cast<double>(count), public_trips(count));
}

figure tiny_worlds(double scale) {
  const auto worlds = static_cast<std::uint64_t>(50'000 * scale) + 1;
  return rate(static_cast<double>(worlds), public_trips(5), worlds);
}

}  // namespace bench
