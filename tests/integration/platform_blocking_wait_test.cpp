// Waiting for either direction of a blocking stream, and interrupts.
#include <sys/socket.h>

#include <array>

#include "platform_blocking_support.hpp"

namespace tp::test {
namespace {

using backend::readiness;

std::unique_ptr<backend::interrupt> make_interrupt(rig& on) {
  return std::move(*on.process->make_interrupt());
}

time_point in_time(rig& on, duration d) {
  return on.process->threads().now() + d;
}

// Until the kernel takes no more; how much it took.
std::size_t fill(backend::byte_stream& stream) {
  test_write much(std::string(1 << 20, 'x'));
  much.deadline = time_point{};
  static_cast<void>(stream.write(much));
  return much.n;
}

}  // namespace

TEST_CASE("a wait for data ends when there is some, and at its deadline when there is none") {
  blocking_rig rig;
  const time_point late = in_time(rig, 2ms);
  CHECK(rig.blocking().wait(readiness::readable, late, nullptr).code == errc::timed_out);
  CHECK(rig.process->threads().now() >= late);
  for (const time_point passed : {time_point{}, time_point::min()}) {
    CHECK(rig.blocking().wait(readiness::readable, passed, nullptr).code == errc::timed_out);
    test_read ready(0);
    ready.deadline = passed;
    CHECK(rig.client->read(ready) == start::done);
    CHECK(ready.code() == errc::timed_out);
  }
  errc told = errc::io_error;
  sleeper waiter([&] { told = rig.blocking().wait(readiness::readable, never, nullptr).code; });
  waiter.until_asleep();
  CHECK(write_all(rig, *rig.server, "x") == errc::none);
  waiter.join();
  CHECK(told == errc::none);
  CHECK(read_some(rig, *rig.client) == "x");
}

TEST_CASE("a wait to write ends when the peer has made room") {
  blocking_rig rig;
  CHECK(rig.blocking().wait(readiness::writable, time_point{}, nullptr).ok());
  std::size_t left = fill(*rig.client);
  CHECK(rig.blocking().wait(readiness::writable, time_point{}, nullptr).code == errc::timed_out);
  errc told = errc::io_error;
  sleeper waiter([&] { told = rig.blocking().wait(readiness::writable, never, nullptr).code; });
  waiter.until_asleep();
  while (left > 0) left -= read_some(rig, *rig.server, 1 << 16).size();
  waiter.join();
  CHECK(told == errc::none);
}

TEST_CASE("a wait for either ends at data while the peer makes no room, and at room while it sends nothing") {
  for (const bool sends : {true, false}) {
    blocking_rig rig;
    std::size_t left = fill(*rig.client);
    CHECK(rig.blocking().wait(readiness::either, time_point{}, nullptr).code == errc::timed_out);
    errc told = errc::io_error;
    sleeper waiter([&] { told = rig.blocking().wait(readiness::either, never, nullptr).code; });
    waiter.until_asleep();
    if (sends) CHECK(write_all(rig, *rig.server, "x") == errc::none);
    while (!sends && left > 0) left -= read_some(rig, *rig.server, 1 << 16).size();
    waiter.join();
    CHECK(told == errc::none);
  }
}

TEST_CASE("the end of the peer ends a wait for data, and its reset one to write") {
  blocking_rig rig;
  static_cast<void>(fill(*rig.client));
  errc readable = errc::io_error, writable = errc::io_error;
  sleeper reader([&] { readable = rig.blocking().wait(readiness::readable, never, nullptr).code; });
  sleeper writer([&] { writable = rig.blocking().wait(readiness::writable, never, nullptr).code; });
  reader.until_asleep();
  writer.until_asleep();
  rig.server.reset();
  reader.join();
  writer.join();
  CHECK((readable == errc::none && writable == errc::none));
  CHECK(read_code(rig, *rig.client) == errc::connection_reset);
}

TEST_CASE("an interrupt ends a wait, also when it was raised before, until it is lowered") {
  blocking_rig rig;
  const auto stop = make_interrupt(rig);
  const auto wait = [&](time_point deadline) {
    return rig.blocking().wait(readiness::readable, deadline, stop.get()).code;
  };
  errc told = errc::io_error;
  sleeper waiter([&] { told = wait(never); });
  waiter.until_asleep();
  stop->raise();
  waiter.join();
  CHECK(told == errc::cancelled);
  CHECK(wait(never) == errc::cancelled);
  stop->lower();
  CHECK(wait(in_time(rig, 1ms)) == errc::timed_out);
  stop->raise();
  CHECK(wait(never) == errc::cancelled);
}

TEST_CASE("data that is there wins over a raised interrupt") {
  blocking_rig rig;
  const auto stop = make_interrupt(rig);
  stop->raise();
  REQUIRE(write_all(rig, *rig.server, "x") == errc::none);
  CHECK(rig.blocking().wait(readiness::readable, never, stop.get()).ok());
}

TEST_CASE("one can wait for an interrupt alone") {
  rig rig;
  const auto stop = make_interrupt(rig);
  const time_point late = in_time(rig, 2ms);
  CHECK(!stop->wait(late));
  CHECK(rig.process->threads().now() >= late);
  for (const time_point passed : {time_point{}, time_point::min()}) CHECK(!stop->wait(passed));
  bool told = false;
  sleeper waiter([&] { told = stop->wait(never); });
  waiter.until_asleep();
  stop->raise();
  waiter.join();
  CHECK(told);
  CHECK(stop->wait(time_point{}));
  stop->lower();
  CHECK(!stop->wait(time_point{}));
}

TEST_CASE("an interrupt that several threads raise and lower ends up as the last of them left it") {
  rig rig;
  const auto stop = make_interrupt(rig);
  for (const bool raised_at_last : {true, false}) {
    const auto flip = [&] {
      for (int i = 0; i < 2000; ++i) stop->raise(), stop->lower();
    };
    {
      const std::jthread one(flip), two(flip), three(flip);
    }
    if (raised_at_last) stop->raise();
    CHECK(stop->wait(time_point{}) == raised_at_last);
    stop->lower();
    CHECK(!stop->wait(time_point{}));
  }
}

TEST_CASE("without a descriptor there is no interrupt, but no_resources") {
  child short_of_them([](const child::handle&) {
    const rig rig;
    allow_more_descriptors(0);
    const auto made = rig.process->make_interrupt();
    return made ? 0 : static_cast<int>(made.error().code());
  });
  CHECK(short_of_them.wait() == static_cast<int>(errc::no_resources));
}

}  // namespace tp::test
