// Without frames a blocking call is a read or write that the connection's state doesn't know of, until a call
// of another thread concerns it.
#include <array>
#include <catch2/catch.hpp>

#include "blocking_rig.hpp"

using namespace tp;
using namespace tp::test;
using namespace std::chrono_literals;

namespace {

/// A receive into plain memory, and what it has brought.
struct plain_receive {
  std::array<std::byte, 16> memory{};
  result<received> got;

  plain_receive(blocking_rig& rig, const blocking::limits& how = {})
      : got(rig.connection->receive(memory, how)) {}
  [[nodiscard]] byte_vector bytes() const { return {memory.begin(), memory.begin() + got->bytes}; }
  [[nodiscard]] errc code() const { return got ? errc::none : got.error().code(); }
};

}  // namespace

TEST_CASE("a receive of plain bytes takes what is there, waits for what comes, and ends at its deadline") {
  blocking_rig rig(core_rig::plain_bytes());
  rig.pipe.feed(bytes_of("one"));
  CHECK(plain_receive(rig).bytes() == bytes_of("one"));
  rig.meanwhile.then([&] { rig.pipe.feed(bytes_of("two")); });
  CHECK(plain_receive(rig).bytes() == bytes_of("two"));
  CHECK(rig.pipe.questions == 0);
  const time_point before = rig.threads.time;
  CHECK(plain_receive(rig, {.within = 5ms}).code() == errc::timed_out);
  CHECK(rig.threads.time == before + 5ms);
  rig.pipe.feed(bytes_of("three"));
  CHECK(plain_receive(rig, {.until = before}).bytes() == bytes_of("three"));
}

TEST_CASE("a stop ends a receive of plain bytes, and bytes that have come win against it") {
  for (const bool bytes_too : {false, true}) {
    for (const bool descriptors : {true, false}) {
      blocking_rig rig(core_rig::plain_bytes());
      rig.without_descriptors = !descriptors;
      std::stop_source stop;
      rig.meanwhile.then([&] {
        if (bytes_too) rig.pipe.feed(bytes_of("first"));
        stop.request_stop();
      });
      CHECK(plain_receive(rig, {.unless = stop.get_token()}).code() ==
            (bytes_too ? errc::none : errc::cancelled));
      rig.pipe.feed(bytes_of("second"));
      CHECK(plain_receive(rig, {.unless = stop.get_token()}).code() == errc::cancelled);
      CHECK(plain_receive(rig).bytes() == bytes_of("second"));
    }
  }
}

TEST_CASE("a receive of plain bytes that others' calls meet is still the one that gets the bytes") {
  for (const bool stoppable : {false, true}) {
    blocking_rig rig(core_rig::plain_bytes());
    std::stop_source stop;
    rig.meanwhile.then([&] {
      CHECK(plain_receive(rig).code() == errc::operation_in_progress);
      CHECK(rig.connection->call<detail::shutdown_operation>({}).has_value());
    });
    rig.meanwhile.then([&] { rig.pipe.feed(bytes_of("first")); });
    CHECK(plain_receive(rig, {.unless = stoppable ? stop.get_token() : std::stop_token()}).bytes() ==
          bytes_of("first"));
    rig.pipe.feed(bytes_of("second"));
    CHECK(plain_receive(rig).bytes() == bytes_of("second"));
  }
}

TEST_CASE("a receive of plain bytes that another call has met ends at its stop and at its deadline") {
  for (const errc why : {errc::cancelled, errc::timed_out}) {
    blocking_rig rig(core_rig::plain_bytes());
    std::stop_source stop;
    rig.meanwhile.then([&] { CHECK(plain_receive(rig).code() == errc::operation_in_progress); });
    if (why == errc::cancelled) rig.meanwhile.then([&] { stop.request_stop(); });
    CHECK(plain_receive(rig, {.within = 5ms, .unless = stop.get_token()}).code() == why);
    rig.pipe.feed(bytes_of("late"));
    CHECK(plain_receive(rig).bytes() == bytes_of("late"));
  }
}

TEST_CASE("a close or an abort from another thread ends a receive of plain bytes") {
  for (const bool aborts : {false, true}) {
    for (const bool stoppable : {false, true}) {
      blocking_rig rig(core_rig::plain_bytes());
      std::stop_source stop;
      rig.meanwhile.then([&] {
        aborts ? rig.connection->abort() : static_cast<void>(rig.close());
        CHECK(plain_receive(rig).code() == errc::closed);
      });
      CHECK(plain_receive(rig, {.unless = stoppable ? stop.get_token() : std::stop_token()}).code() ==
            errc::closed);
    }
  }
}

TEST_CASE("the end and a reset that a receive of plain bytes meets are remembered") {
  blocking_rig ended(core_rig::plain_bytes());
  ended.pipe.reads.push_back({});
  CHECK(plain_receive(ended).got->end);
  CHECK(plain_receive(ended).got->end);

  blocking_rig reset(core_rig::plain_bytes());
  reset.features.drain = true;
  REQUIRE(reset.send("lost").has_value());
  reset.pipe.reads.push_back({{}, errc::connection_reset});
  CHECK(plain_receive(reset).got->discarded);
  CHECK(reset.drain().error().code() == errc::discarded);
}

TEST_CASE("a send of plain bytes whose stop has come already sends nothing, and none goes past another") {
  blocking_rig rig(core_rig::plain_bytes());
  std::stop_source stop;
  stop.request_stop();
  CHECK(rig.send("no", {.unless = stop.get_token()}).error().code() == errc::cancelled);
  CHECK(rig.pipe.written.empty());
  rig.pipe.room = 1;
  rig.meanwhile.then([&] {
    rig.pipe.room = 1;  // the next would fit, but it isn't its turn
    CHECK(rig.send("b", {.within = 1ms}).error().code() == errc::timed_out);
    rig.pipe.room = SIZE_MAX;
  });
  CHECK(rig.send("aaa").value() == 3);
  CHECK(rig.pipe.written == bytes_of("aaa"));
}

TEST_CASE("a receive of plain bytes that fails says why") {
  blocking_rig rig(core_rig::plain_bytes());
  rig.pipe.reads.push_back({{}, errc::io_error});
  CHECK(plain_receive(rig).code() == errc::io_error);
  CHECK(plain_receive(rig).code() == errc::io_error);
}
