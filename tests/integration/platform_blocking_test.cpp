// The blocking stream: the same interface, whose starts answer done when it is over.
#include <unistd.h>

#include <array>
#include <atomic>
#include <fstream>
#include <future>
#include <thread>

#include "platform_support.hpp"

namespace tp::test {
namespace {

struct blocking_rig : connection_rig {
  blocking_rig() : connection_rig(true) {}
};

// Waits until the thread sleeps in poll(2): its system call is in /proc. Gives up after a while, which only
// weakens the test.
void until_asleep(const std::string& task) {
  for (int i = 0; i < 2000; ++i) {
    std::ifstream stat("/proc/self/task/" + task + "/stat");
    std::string line;
    std::getline(stat, line);
    if (line.find(") S ") != std::string::npos) return;
    std::this_thread::sleep_for(1ms);
  }
}

}  // namespace

TEST_CASE("a blocking read waits for data and is done") {
  blocking_rig rig;
  auto reader = std::async(std::launch::async, [&] {
    test_read in;
    return rig.client->read(in) == start::done ? in.text() : "pending";
  });
  CHECK(write_all(rig, *rig.server, "hello") == errc::none);
  CHECK(reader.get() == "hello");
}

TEST_CASE("a blocking operation ends at its deadline") {
  blocking_rig rig;
  test_read in;
  in.deadline = rig.system->now() + 2ms;
  CHECK(rig.client->read(in) == start::done);
  CHECK(in.code() == errc::timed_out);
  CHECK(rig.system->now() >= in.deadline);
  test_write out(std::string(1 << 20, 'x'));
  out.deadline = rig.system->now() + 2ms;
  CHECK(rig.client->write(out) == start::done);
  CHECK(out.code() == errc::timed_out);
  std::size_t arrived = 0;
  while (arrived < out.n) arrived += read_some(rig, *rig.server, 1 << 16).size();
  CHECK(arrived == out.n);
}

TEST_CASE("a close from another thread wakes a blocked read, a blocked write and a blocked drain") {
  blocking_rig rig;
  std::array<std::string, 3> tasks;
  std::atomic<int> started = 0;
  const auto begin = [&](std::size_t i) {
    tasks[i] = std::to_string(::gettid());
    ++started;
  };
  test_write unread("unread"), large(std::string(1 << 20, 'x'));
  REQUIRE(rig.client->write(unread) == start::done);
  test_read in;
  test_op drained;
  std::jthread writer([&] { begin(0), static_cast<void>(rig.client->write(large)); });
  std::jthread reader([&] { begin(1), static_cast<void>(rig.client->read(in)); });
  std::jthread drainer([&] { begin(2), static_cast<void>(rig.client->drain(drained)); });
  while (started < 3) std::this_thread::yield();
  for (const std::string& task : tasks) until_asleep(task);
  rig.client->close();
  writer.join();
  reader.join();
  drainer.join();
  CHECK(large.code() == errc::closed);
  CHECK(in.code() == errc::closed);
  CHECK(drained.code() == errc::closed);
}

TEST_CASE("what a blocking stream wrote stays readable after its close") {
  blocking_rig rig;
  test_write out("farewell");
  CHECK(rig.client->write(out) == start::done);
  rig.client->close();
  CHECK(read_some(rig, *rig.server) == "farewell");
  CHECK(read_some(rig, *rig.server).empty());
  test_read late;
  CHECK(rig.client->read(late) == start::done);
  CHECK(late.code() == errc::closed);
}

TEST_CASE("a blocking stream that is released while a thread is in it lives until that has left") {
  blocking_rig rig;
  std::atomic<bool> started = false;
  std::string task;
  test_read in;
  std::jthread reader([&, raw = rig.client.get()] {
    task = std::to_string(::gettid());
    started = true;
    static_cast<void>(raw->read(in));
  });
  while (!started) std::this_thread::yield();
  until_asleep(task);
  rig.client.reset();
  reader.join();
  CHECK(in.code() == errc::closed);
  CHECK(read_some(rig, *rig.server).empty());
}

TEST_CASE("a blocking stream ends, resets and drains like any other") {
  blocking_rig rig;
  test_write out("unread");
  CHECK(rig.client->write(out) == start::done);
  test_op pending_drain;
  pending_drain.deadline = rig.system->now() + 3ms;
  CHECK(rig.client->drain(pending_drain) == start::done);
  CHECK(pending_drain.code() == errc::timed_out);
  rig.server.reset();
  test_op drained;
  CHECK(rig.client->drain(drained) == start::done);
  CHECK(drained.code() == errc::connection_reset);
  CHECK(read_code(rig, *rig.client) == errc::connection_reset);
  CHECK(read_code(rig, *rig.client) == errc::none);
}

TEST_CASE("a reader and a drainer on two threads both learn of a reset, whoever asks the kernel first") {
  rig rig;
  temporary_directory directory;
  const auto bound = rig.bind(request_for(directory / "a"));
  const auto acceptor = rig.open(bound);
  for (int round = 0; round < 500; ++round) {
    const auto client = rig.attach_blocking(rig.connect(directory / "a"));
    test_accept accepted;
    rig.run(acceptor->accept(accepted), accepted);
    auto server = rig.attach(std::move(accepted.stream));
    test_write unread("unread");
    REQUIRE(client->write(unread) == start::done);
    REQUIRE(write_all(rig, *server, "data") == errc::none);
    std::atomic<bool> reading = false, draining = false;
    auto reader = std::async(std::launch::async, [&] {
      std::string seen;
      for (;;) {
        test_read in;
        static_cast<void>(client->read(in));
        reading = true;
        seen += in.code() == errc::connection_reset ? "reset" : in.text();
        if (in.n == 0 && in.code() == errc::none) return seen + "end";
        if (in.code() != errc::none && in.code() != errc::connection_reset) return seen + "error";
      }
    });
    auto drainer = std::async(std::launch::async, [&] {
      for (;;) {
        test_op drained;
        drained.deadline = time_point{};  // one question, and no pause before the next
        static_cast<void>(client->drain(drained));
        draining = true;
        if (drained.code() != errc::timed_out) return drained.code();
      }
    });
    while (!reading || !draining) std::this_thread::yield();
    server.reset();
    CHECK(reader.get() == "dataresetend");
    CHECK(drainer.get() == errc::connection_reset);
  }
}

TEST_CASE("two threads read and write one blocking stream at once") {
  blocking_rig rig;
  constexpr std::size_t size = 1 << 20;
  test_write to_go(std::string(size, 'c'));
  std::jthread writer([&] { static_cast<void>(rig.client->write(to_go)); });
  std::size_t to_client = 0;
  std::jthread reader([&] {
    while (to_client < size) {
      test_read in(1 << 16);
      static_cast<void>(rig.client->read(in));
      if (in.n == 0) return;
      to_client += in.n;
    }
  });
  const at_exit closed([&] { rig.client->close(); });  // which ends the threads, whatever fails before
  test_write out(std::string(size, 's'));
  const start answer = rig.server->write(out);
  std::size_t to_server = 0;
  while (to_server < size) to_server += read_some(rig, *rig.server, 1 << 16).size();
  rig.run(answer, out);
  writer.join();
  reader.join();
  CHECK(to_go.n == size);
  CHECK(to_client == size);
}

TEST_CASE("a blocking stream can be detached when no thread is in it") {
  blocking_rig rig;
  const auto moved = rig.attach(rig.client->detach());
  REQUIRE(write_all(rig, *moved, "async now") == errc::none);
  CHECK(read_some(rig, *rig.server) == "async now");
}

TEST_CASE("a blocking call whose deadline is as early as can be is one try") {
  blocking_rig rig;
  auto& client = static_cast<backend::blocking_stream&>(*rig.client);
  const auto ask = [&] { return client.wait(backend::readiness::readable, time_point::min(), nullptr); };
  CHECK(ask().code == errc::timed_out);
  test_read in;
  in.deadline = time_point::min();
  CHECK(rig.client->read(in) == start::done);
  CHECK(in.code() == errc::timed_out);
  CHECK(write_all(rig, *rig.server, "here") == errc::none);
  CHECK(ask().ok());
  CHECK(rig.client->read(in) == start::done);
  CHECK(in.text() == "here");
}

}  // namespace tp::test
