// How what waits in a blocking stream ends: at deadlines, after signals, by resets, by close from any thread.
#include <csignal>
#include <vector>

#include "platform_blocking_support.hpp"

namespace tp::test {
namespace {

time_point later(rig& on, duration d) {
  return on.process->threads().now() + d;
}

errc read_until(rig& on, backend::byte_stream& stream, time_point deadline) {
  test_read in;
  in.deadline = deadline;
  on.run(stream.read(in), in);
  return in.code();
}

// A handler that does nothing, and no SA_RESTART: calls that a signal meets end with EINTR.
class noticed_signal {
 public:
  noticed_signal() {
    struct sigaction action{};
    action.sa_handler = [](int) { ++seen; };
    ::sigaction(SIGUSR1, &action, &before_);
    seen = 0;
  }
  ~noticed_signal() { ::sigaction(SIGUSR1, &before_, nullptr); }
  noticed_signal(const noticed_signal&) = delete;
  noticed_signal& operator=(const noticed_signal&) = delete;

  /// Sends it, and waits until it was handled.
  void meet(const sleeper& thread) const {
    const int before = seen;
    thread.until_asleep();
    thread.interrupt(SIGUSR1);
    while (seen == before) std::this_thread::yield();
    thread.until_asleep();
  }

 private:
  static inline std::atomic<int> seen = 0;
  struct sigaction before_{};
};

}  // namespace

TEST_CASE("a blocking read never ends before its deadline, whatever timeout the kernel had before") {
  blocking_rig rig;
  for (const duration length : {150ms, 60ms, 150ms, 20ms, 3ms, 0ms}) {
    const time_point deadline = later(rig, length);
    CHECK(read_until(rig, *rig.client, deadline) == errc::timed_out);
    CHECK(rig.process->threads().now() >= deadline);
  }
}

TEST_CASE("what comes after the kernel's timeout and before the deadline is read") {
  blocking_rig rig;
  test_read in;
  in.deadline = later(rig, 5s);
  CHECK(read_until(rig, *rig.client, later(rig, 80ms)) == errc::timed_out);
  sleeper reader([&] { static_cast<void>(rig.client->read(in)); });
  std::this_thread::sleep_for(100ms);
  CHECK(write_all(rig, *rig.server, "late") == errc::none);
  reader.join();
  CHECK(in.text() == "late");
}

TEST_CASE(
    "a blocking read or write without a deadline waits as long as it takes, also after one that had one") {
  blocking_rig rig;
  CHECK(read_until(rig, *rig.client, later(rig, 30ms)) == errc::timed_out);
  test_write first(std::string(1 << 20, 'x')), second(std::string(1 << 20, 'y'));
  first.deadline = later(rig, 30ms);
  CHECK(rig.client->write(first) == start::done);
  CHECK(first.code() == errc::timed_out);
  test_read in;
  sleeper reader([&] { static_cast<void>(rig.client->read(in)); });
  sleeper writer([&] { static_cast<void>(rig.client->write(second)); });
  std::this_thread::sleep_for(50ms);
  CHECK(write_all(rig, *rig.server, "late") == errc::none);
  reader.join();
  CHECK(in.text() == "late");
  std::size_t arrived = 0;
  while (arrived < first.n + (1 << 20)) arrived += read_some(rig, *rig.server, 1 << 16).size();
  writer.join();
  CHECK(second.code() == errc::none);
}

TEST_CASE("signals end no blocking read, write or wait") {
  for (const duration length : {duration::max(), duration(5s)}) {
    blocking_rig rig;
    const noticed_signal signal;
    test_read in;
    test_write out(std::string(1 << 20, 'x'));
    const time_point deadline = deadline_after(rig.process->threads().now(), length);
    in.deadline = out.deadline = deadline;
    errc waited = errc::io_error;
    sleeper waiter(
        [&] { waited = rig.blocking().wait(backend::readiness::readable, deadline, nullptr).code; });
    signal.meet(waiter);
    CHECK(write_all(rig, *rig.server, "hello") == errc::none);
    waiter.join();
    CHECK(read_some(rig, *rig.client) == "hello");
    sleeper reader([&] { static_cast<void>(rig.client->read(in)); });
    signal.meet(reader);
    sleeper writer([&] { static_cast<void>(rig.client->write(out)); });
    signal.meet(writer);
    CHECK(write_all(rig, *rig.server, "again") == errc::none);
    for (std::size_t arrived = 0; arrived < 1 << 20;) arrived += read_some(rig, *rig.server, 1 << 16).size();
    reader.join();
    writer.join();
    CHECK((in.text() == "again" && out.code() == errc::none && waited == errc::none));
  }
}

TEST_CASE("a reset that a blocked write was told of is still told to the reader, once, and to a drain") {
  for (const bool sent_some : {false, true}) {
    blocking_rig rig;
    test_write full(std::string(1 << 20, 'x')), out(std::string(1 << 20, 'y'));
    full.deadline = time_point{};
    if (!sent_some) CHECK(rig.client->write(full) == start::done);
    CHECK(write_all(rig, *rig.server, "data") == errc::none);
    sleeper writer([&] { static_cast<void>(rig.client->write(out)); });
    writer.until_asleep();
    rig.server.reset();
    writer.join();
    CHECK(out.code() == errc::broken_pipe);
    CHECK((out.n > 0) == sent_some);
    test_op drained;
    CHECK(rig.client->drain(drained) == start::done);
    CHECK(drained.code() == errc::connection_reset);
    CHECK(read_some(rig, *rig.client) == "data");
    CHECK(read_code(rig, *rig.client) == errc::connection_reset);
    CHECK(read_code(rig, *rig.client) == errc::none);
  }
}

TEST_CASE("a blocked write, a reader and a drain all learn that the peer closed without reading") {
  for (int round = 0; round < 100; ++round) {
    const bool naps = round % 2 != 0;  // between tries, so that a write may be told of the reset first
    blocking_rig rig;
    test_write out(std::string(1 << 20, 'x'));
    CHECK(write_all(rig, *rig.server, "data") == errc::none);
    std::string seen;
    test_op drained;
    sleeper writer([&] { static_cast<void>(rig.client->write(out)); });
    writer.until_asleep();
    sleeper drainer([&] { static_cast<void>(rig.client->drain(drained)); });
    sleeper reader([&] {
      for (bool ended = false; !ended;) {
        test_read in;
        if (naps) in.deadline = time_point{}, std::this_thread::sleep_for(200us);
        static_cast<void>(rig.client->read(in));
        ended = in.code() == errc::none && in.n == 0;
        seen += in.code() == errc::connection_reset ? "reset" : ended ? "end" : in.text();
      }
    });
    drainer.until_asleep();
    rig.server.reset();
    for (sleeper* each : {&writer, &drainer, &reader}) each->join();
    CHECK(out.code() == errc::broken_pipe);
    CHECK(drained.code() == errc::connection_reset);
    CHECK(seen == "dataresetend");
  }
}

TEST_CASE("a close at any moment ends a read, a write, a wait and a drain of other threads with closed") {
  rig rig;
  temporary_directory directory;
  const auto bound = rig.bind(request_for(directory / "a"));
  const auto acceptor = rig.open(bound);
  for (int round = 0; round < 300; ++round) {
    auto client = rig.attach_blocking(rig.connect(directory / "a"));
    test_accept accepted;
    rig.run(acceptor->accept(accepted), accepted);
    test_read in;
    in.deadline = round % 2 == 0 ? never : later(rig, 5s);
    test_write out(std::string(1 << 20, 'x'));
    test_op drained;
    errc waited = errc::none;
    std::atomic<int> inside = 0;
    const auto enter = [&] { ++inside; };
    {
      std::jthread reader([&] { enter(), static_cast<void>(client->read(in)); });
      std::jthread writer([&] { enter(), static_cast<void>(client->write(out)); });
      std::jthread waiter([&] {
        enter();
        waited = client->wait(backend::readiness::readable, never, nullptr).code;
      });
      std::jthread drainer([&] {
        enter();
        while (drained.code() == errc::none) static_cast<void>(client->drain(drained));
      });
      while (inside < round % 5) std::this_thread::yield();
      std::jthread closer([&] { client->close(); });
      client->close();
    }
    CHECK((in.code() == errc::closed && out.code() == errc::closed));
    CHECK((waited == errc::closed && drained.code() == errc::closed));
    client.reset();
    auto server = rig.attach(std::move(accepted.stream));
    std::size_t arrived = 0;
    for (std::string part; !(part = read_some(rig, *server, 1 << 16)).empty();) arrived += part.size();
    CHECK(arrived == out.n);
  }
}

TEST_CASE("a blocking stream that had deadlines can go to a loop, and come back") {
  blocking_rig rig;
  CHECK(read_until(rig, *rig.client, later(rig, 30ms)) == errc::timed_out);
  const auto moved = rig.attach(rig.client->detach());
  CHECK(read_until(rig, *moved, later(rig, 1ms)) == errc::timed_out);
  REQUIRE(write_all(rig, *rig.server, "async") == errc::none);
  CHECK(read_some(rig, *moved) == "async");
  const auto back = rig.attach_blocking(moved->detach());
  test_read in;
  sleeper reader([&] { static_cast<void>(back->read(in)); });
  reader.until_asleep();
  REQUIRE(write_all(rig, *rig.server, "again") == errc::none);
  reader.join();
  CHECK(in.text() == "again");
}

}  // namespace tp::test
