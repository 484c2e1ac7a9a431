// The work of a blocking connection is shared by the threads that call.
#include <catch2/catch.hpp>

#include "blocking_rig.hpp"

using namespace tp;
using namespace tp::test;
using namespace std::chrono_literals;

TEST_CASE("a second blocking receive at a time is refused") {
  blocking_rig rig(core_rig::messages());
  rig.meanwhile.then([&] {
    buffer other;
    const error refused = rig.receive(other).error();
    CHECK(refused == errc::operation_in_progress);
    CHECK(refused.message().find("another thread is in such a call") != std::string::npos);
    CHECK(refused.message().find("await") == std::string::npos);
    rig.pipe.feed(message_frames(bytes_of("first")));
  });
  buffer into;
  CHECK(rig.receive(into).has_value());
  CHECK(into.text() == "first");
}

TEST_CASE("a send goes while another thread receives") {
  blocking_rig rig(core_rig::messages());
  rig.meanwhile.then([&] {
    CHECK(rig.send("out").has_value());
    rig.pipe.feed(message_frames(bytes_of("in")));
  });
  buffer into;
  CHECK(rig.receive(into).has_value());
  CHECK(whole_messages(rig.pipe.written) == one_message("out"));
}

TEST_CASE("a send behind one that waits ends at its own deadline and sends nothing") {
  blocking_rig rig(core_rig::plain_bytes());
  rig.pipe.room = 2;
  rig.meanwhile.then([&] {
    CHECK(rig.send("second", {.within = 1ms}).error().code() == errc::timed_out);
    rig.pipe.room = SIZE_MAX;
  });
  CHECK(rig.send("first").value() == 5);
  CHECK(rig.pipe.written == bytes_of("first"));
}

TEST_CASE("a receiver answers a drain by itself, and waits for room if it must") {
  for (const bool full : {false, true}) {
    blocking_rig rig(core_rig::messages());
    rig.pipe.room = full ? 0 : SIZE_MAX;
    rig.pipe.feed(token_frame(wire::frame_type::drain, 1));
    rig.meanwhile.then([&] {
      if (full) CHECK(rig.pipe.written.empty());
      rig.pipe.room = SIZE_MAX;
    });
    rig.meanwhile.then([&] {
      CHECK(rig.pipe.written == drained(1));
      rig.pipe.feed(message_frames(bytes_of("data")));
    });
    if (!full) rig.meanwhile.then([] {});
    buffer into;
    CHECK(rig.receive(into).has_value());
    CHECK(into.text() == "data");
  }
}

TEST_CASE("a sender that waits for long looks for what the peer asks") {
  blocking_rig rig(core_rig::messages());
  rig.pipe.room = 0;
  rig.meanwhile.then([&] { rig.threads.time += 1s; });
  rig.meanwhile.then([&] { rig.pipe.feed(token_frame(wire::frame_type::drain, 1)); });
  rig.meanwhile.then([&] { rig.pipe.room = SIZE_MAX; });
  CHECK(rig.send("data").has_value());
  const auto frames = take_apart(rig.pipe.written).frames;
  REQUIRE(frames.size() == 2);
  CHECK(frames[1].type == static_cast<std::uint8_t>(wire::frame_type::drained));
}

TEST_CASE("a program that only sends confirms what it has received, and asks the system seldom") {
  blocking_rig rig(core_rig::messages());
  REQUIRE(rig.send("one").has_value());
  rig.pipe.feed(token_frame(wire::frame_type::drain, 7));
  REQUIRE(rig.send("two").has_value());
  CHECK(rig.pipe.questions == 1);
  rig.threads.time += 1ms;
  REQUIRE(rig.send("three").has_value());
  CHECK(rig.pipe.questions == 3);  // that found something, so it asked again
  CHECK(take_apart(rig.pipe.written).frames.back().type ==
        static_cast<std::uint8_t>(wire::frame_type::drained));
}

TEST_CASE("a sender that looks for what the peer asks, and need not wait any more, answers all the same") {
  blocking_rig rig(core_rig::messages());
  rig.pipe.room = 0;
  rig.meanwhile.then([&] { rig.threads.time += 1s; });
  rig.meanwhile.then([&] {
    rig.pipe.feed(token_frame(wire::frame_type::drain, 7));
    rig.pipe.room = SIZE_MAX;
  });
  REQUIRE(rig.send("data").has_value());
  byte_vector expected = message_frames(bytes_of("data"));
  append(expected, drained(7));
  CHECK(rig.pipe.written == expected);
}

TEST_CASE("a program that only sends confirms a drain that its stream gives byte by byte") {
  blocking_rig rig(core_rig::messages());
  for (const std::byte each : token_frame(wire::frame_type::drain, 7)) rig.pipe.feed({each});
  REQUIRE(rig.send("data").has_value());
  byte_vector expected = message_frames(bytes_of("data"));
  append(expected, drained(7));
  CHECK(rig.pipe.written == expected);
}

TEST_CASE("a drain is confirmed by what another thread receives meanwhile") {
  blocking_rig rig(core_rig::messages());
  REQUIRE(rig.send("data").has_value());
  rig.meanwhile.then([&] {
    rig.pipe.feed(drained(1));
    rig.pipe.feed(message_frames(bytes_of("late")));
  });
  CHECK(rig.drain().has_value());
  buffer into;
  CHECK(rig.receive(into).has_value());
  CHECK(into.text() == "late");
}

TEST_CASE("a close from another thread ends a receive that waits") {
  for (const auto& terms : core_rig::all_terms()) {
    blocking_rig rig(terms);
    rig.meanwhile.then([&] { CHECK(rig.close() == delivery::delivered); });
    buffer into;
    CHECK(rig.receive(into).error().code() == errc::closed);
  }
}

TEST_CASE("a close waits for the peer's word, and gives up at its deadline") {
  for (const bool answered : {true, false}) {
    blocking_rig rig(core_rig::messages());
    REQUIRE(rig.send("data").has_value());
    if (answered) rig.meanwhile.then([&] { rig.pipe.feed(drained(1)); });
    CHECK(rig.close({.within = 10ms}) == (answered ? delivery::delivered : delivery::unknown));
    CHECK(rig.close().error().code() == errc::closed);
  }
}

TEST_CASE("a blocking close tells of what lies unread, also behind the peer's word") {
  for (const bool waits : {false, true}) {
    blocking_rig rig(core_rig::messages());
    const auto sends = [&] { rig.pipe.feed(message_frames(bytes_of("never received"))); };
    if (!waits) sends();
    if (waits) REQUIRE(rig.send("data").has_value());
    if (waits)
      rig.meanwhile.then([&] {
        rig.pipe.feed(drained(1));
        sends();
      });
    CHECK(rig.close() == delivery::delivered);
    CHECK((frame(6, take_apart(rig.pipe.written).frames.back().payload) == close_frame(2)));
  }
}
