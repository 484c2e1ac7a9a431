// The adaptive wait: when a loop spins, and what ends a spin. They count spins and turns, and time nothing.
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <thread>

#include "../../platform/connected_socket_posix.hpp"
#include "../../platform/event_loop.hpp"
#include "../../platform/spin_habit.hpp"
#include "../../platform/streams.hpp"
#include "platform_support.hpp"

namespace tp::test {
namespace {

using platform::spin_habit;

// So many short sleeps that something ended.
void sleep_briefly(spin_habit& habit, int times) {
  for (int i = 0; i < times; ++i) habit.slept(30us, true);
}

/// A loop that has begun to spin, and a connection on it.
struct spinning_loop {
  std::unique_ptr<platform::event_loop> loop =
      platform::event_loop::make({.wait = wait_strategy::adaptive}).value();
  std::array<backend::stream_ptr, 2> ends = connect();

  std::array<backend::stream_ptr, 2> connect() {
    std::array<int, 2> sockets{};
    REQUIRE(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, sockets.data()) == 0);
    std::array<backend::stream_ptr, 2> made;
    for (std::size_t i = 0; i < 2; ++i)
      made[i] = platform::make_stream(*loop, std::make_unique<platform::connected_socket>(
                                                 platform::descriptor(sockets[i]), identity()))
                    .value();
    return made;
  }
  // Wakes end its sleeps at once. Somebody else's use of the processor may make some of them long.
  void begin() {
    const std::size_t before = loop->spins();
    for (int i = 0; i < 100'000 && loop->spins() == before; ++i) {
      loop->get_waker()->wake();
      turn();
    }
    REQUIRE(loop->spins() > before);
  }
  void turn() { static_cast<void>(loop->turn(loop->now() + 5s)); }
  void finish(backend::op& op) {
    for (int i = 0; i < 1000 && op.pending(); ++i) turn();
    REQUIRE_FALSE(op.pending());
  }
};

}  // namespace

TEST_CASE("a loop begins to spin after a few short sleeps in a row, and ends with a spin in vain") {
  spin_habit habit;
  sleep_briefly(habit, 3);
  CHECK_FALSE(habit.worth_it());
  sleep_briefly(habit, 1);
  CHECK(habit.worth_it());
  habit.spun(3us, true);
  CHECK(habit.worth_it());
  habit.spun(50us, false);
  CHECK_FALSE(habit.worth_it());
}

TEST_CASE("a loop to which something comes now and then, or only time, never spins") {
  spin_habit habit;
  for (int i = 0; i < 1000; ++i) {
    sleep_briefly(habit, 3);
    habit.slept(10ms, true);
  }
  for (int i = 0; i < 1000; ++i) habit.slept(30us, false);
  CHECK_FALSE(habit.worth_it());
}

TEST_CASE("a loop that always spins in vain does so ever more rarely") {
  spin_habit habit;
  int sleeps = 0;
  for (int spins = 0; spins < 20; ++spins) {
    for (sleeps = 0; !habit.worth_it(); ++sleeps) sleep_briefly(habit, 1);
    habit.spun(50us, false);
  }
  CHECK(sleeps == 1024);
}

TEST_CASE("after spins that paid, the next beginning is easy again") {
  spin_habit habit;
  for (int i = 0; i < 5; ++i) {
    sleep_briefly(habit, 1024);
    habit.spun(50us, false);
  }
  sleep_briefly(habit, 1024);
  REQUIRE(habit.worth_it());
  for (int i = 0; i < 1024; ++i) habit.spun(3us, true);
  habit.spun(50us, false);
  sleep_briefly(habit, 4);
  CHECK(habit.worth_it());
}

TEST_CASE("spins that find something later than a wake-up would have end, too") {
  spin_habit habit;
  sleep_briefly(habit, 4);
  for (int i = 0; i < 100; ++i) habit.spun(25us, true);  // 64 KiB at a time
  CHECK(habit.worth_it());
  for (int i = 0; i < 7; ++i) habit.spun(40us, true);
  CHECK(habit.worth_it());
  habit.spun(40us, true);
  CHECK_FALSE(habit.worth_it());
}

TEST_CASE("an idle loop, and one with a timer only, spins no more than once") {
  spinning_loop on;
  on.begin();
  const std::size_t before = on.loop->spins();
  for (int i = 0; i < 30; ++i) static_cast<void>(on.loop->turn(on.loop->now() + 1ms));
  CHECK(on.loop->spins() <= before + 1);
}

TEST_CASE("new interest is told to the system in a poll that doesn't wait, and then the loop spins") {
  spinning_loop on;
  std::size_t spun = 0;
  for (int i = 0; i < 100 && spun == 0; ++i) {  // somebody else's use of the processor may end the habit
    const auto others = on.connect();
    on.begin();
    const std::size_t before = on.loop->spins();
    test_read in;
    REQUIRE(others[0]->read(in) == start::pending);
    static_cast<void>(on.loop->turn(on.loop->now() + 1ms));
    spun = on.loop->spins() - before;
    others[0]->cancel(in);
    on.finish(in);
  }
  CHECK(spun == 1);
}

TEST_CASE("a loop that sleeps never spins") {
  auto loop = platform::event_loop::make({}).value();
  for (int i = 0; i < 1000; ++i) {
    loop->get_waker()->wake();
    static_cast<void>(loop->turn(never));
  }
  CHECK(loop->spins() == 0);
}

TEST_CASE("what comes during a spin completes: bytes, a wake from another thread, a deadline") {
  spinning_loop on;
  test_read in;
  REQUIRE(on.ends[0]->read(in) == start::pending);
  on.begin();
  test_write out("bytes");
  REQUIRE(on.ends[1]->write(out) == start::done);
  on.finish(in);
  CHECK(in.text() == "bytes");

  bool woken = false;
  on.loop->on_wake([](void* flag) noexcept { *static_cast<bool*>(flag) = true; }, &woken);
  on.begin();
  woken = false;
  std::thread other([waker = on.loop->get_waker()] { waker->wake(); });
  on.turn();
  CHECK(woken);
  other.join();

  on.begin();
  test_read late;
  late.deadline = on.loop->now() + 20us;
  REQUIRE(on.ends[0]->read(late) == start::pending);
  on.finish(late);
  CHECK(late.code() == errc::timed_out);
}

TEST_CASE("a conversation that keeps a loop spinning doesn't keep it from others") {
  spinning_loop on;
  const auto others = on.connect();
  test_read other(0);
  REQUIRE(others[0]->read(other) == start::pending);
  test_write late("late");
  on.begin();
  for (int i = 0; i < 80; ++i) {
    if (i == 40) REQUIRE(others[1]->write(late) == start::done);
    test_read in;
    REQUIRE(on.ends[0]->read(in) == start::pending);
    test_write out("ping");
    REQUIRE(on.ends[1]->write(out) == start::done);
    on.finish(in);
  }
  CHECK_FALSE(other.pending());
}

TEST_CASE("a read that is stopped or closed is no longer tried in spins") {
  spinning_loop on;
  std::array<test_read, 2> in;
  for (std::size_t i = 0; i < 2; ++i) REQUIRE(on.ends[i]->read(in[i]) == start::pending);
  on.begin();
  on.ends[0]->cancel(in[0]);
  on.ends[1]->close();
  for (test_read& each : in) on.finish(each);
  CHECK(in[0].code() == errc::cancelled);
  CHECK(in[1].code() == errc::closed);
  on.ends[1].reset();
  on.begin();
}

TEST_CASE("two threads converse through adaptive systems") {
  rig server;
  temporary_directory directory;
  auto name = server.bind(request_for(directory / "socket"));
  server.system = server.process->make_system({.wait = wait_strategy::adaptive}).value();
  constexpr int messages = 500;
  std::thread client([&] {
    rig own;
    own.system = own.process->make_system({.wait = wait_strategy::adaptive}).value();
    const backend::stream_ptr stream = own.attach(own.connect(directory / "socket"));
    for (int i = 0; i < messages; ++i) {
      if (write_all(own, *stream, "ping") != errc::none || read_some(own, *stream, 4) != "pong") std::abort();
    }
  });
  const backend::acceptor_ptr acceptor = server.open(name);
  test_accept accept;
  server.run(acceptor->accept(accept), accept);
  const backend::stream_ptr stream = server.attach(std::move(accept.stream));
  for (int i = 0; i < messages; ++i) {
    REQUIRE(read_some(server, *stream, 4) == "ping");
    REQUIRE(write_all(server, *stream, "pong") == errc::none);
  }
  client.join();
}

}  // namespace tp::test
