// A blocking call waits for its own work: bytes, deadlines, stops, closing.
#include <catch2/catch.hpp>

#include "blocking_rig.hpp"

using namespace tp;
using namespace tp::test;
using trompeloeil::_;
using namespace std::chrono_literals;

namespace {

byte_vector as_sent(const core::terms& terms, std::string_view text) {
  return terms.framed ? message_frames(bytes_of(text)) : bytes_of(text);
}

}  // namespace

TEST_CASE("a blocking receive takes what is there, and waits for what comes") {
  for (const auto& terms : core_rig::all_terms()) {
    for (const bool later : {false, true}) {
      blocking_rig rig(terms);
      const auto comes = [&] { rig.pipe.feed(as_sent(terms, "hello")); };
      later ? rig.meanwhile.then(comes) : comes();
      buffer into;
      const auto got = rig.receive(into);
      REQUIRE(got.has_value());
      CHECK((into.text() == "hello" && got->complete && !got->end));
      CHECK(rig.pipe.questions == 0);  // one call of the stream, which waits by itself
    }
  }
}

TEST_CASE("a blocking receive ends at its deadline, and the next gets the bytes") {
  for (const auto& terms : core_rig::all_terms()) {
    blocking_rig rig(terms);
    const time_point before = rig.threads.time;
    buffer into;
    CHECK(rig.receive(into, {.within = 5ms}).error().code() == errc::timed_out);
    CHECK(rig.threads.time == before + 5ms);
    CHECK(rig.receive(into, {.until = before}).error().code() == errc::timed_out);
    rig.pipe.feed(as_sent(terms, "late"));
    CHECK(rig.receive(into, {.until = before}).has_value());
    CHECK(into.text() == "late");
  }
}

TEST_CASE("a stop ends a blocking receive, and bytes that have come win against it") {
  for (const bool bytes_too : {false, true}) {
    for (const bool descriptors : {true, false}) {
      blocking_rig rig(core_rig::messages());
      rig.without_descriptors = !descriptors;
      std::stop_source stop;
      rig.meanwhile.then([&] {
        if (bytes_too) rig.pipe.feed(message_frames(bytes_of("first")));
        stop.request_stop();
      });
      buffer into;
      const auto got = rig.receive(into, {.unless = stop.get_token()});
      CHECK(got.has_value() == bytes_too);
      if (!bytes_too) CHECK(got.error().code() == errc::cancelled);
      rig.pipe.feed(message_frames(bytes_of("second")));
      REQUIRE(rig.receive(into).has_value());
      CHECK(into.text() == "second");
    }
  }
}

TEST_CASE("a blocking send that has to wait and is stopped in byte mode says how much went") {
  blocking_rig rig(core_rig::plain_bytes());
  rig.pipe.room = 3;
  CHECK(rig.send("abcdef", {.within = 1ms}).value() == 3);
  CHECK(rig.send("ghi", {.within = 1ms}).error().code() == errc::timed_out);
  rig.pipe.room = SIZE_MAX;
  CHECK(rig.send("xyz").value() == 3);
  CHECK(rig.pipe.written == bytes_of("abcxyz"));
}

TEST_CASE("a message stopped on its way is taken back, and the connection goes on") {
  blocking_rig rig(core_rig::messages());
  std::stop_source stop;
  const std::string large(100'000, 'x');
  rig.pipe.room = 1000;
  rig.meanwhile.then([&] { stop.request_stop(); });
  rig.meanwhile.then([&] { rig.pipe.room = SIZE_MAX; });
  CHECK(rig.send(large, {.unless = stop.get_token()}).error().code() == errc::cancelled);
  REQUIRE(rig.send("next").has_value());
  CHECK(whole_messages(rig.pipe.written) == one_message("next"));
}

TEST_CASE("a message stopped on its way whose piece never goes ends the connection within a second") {
  blocking_rig rig(core_rig::messages());
  rig.pipe.room = 1000;
  const time_point before = rig.threads.time;
  CHECK(rig.send(std::string(100'000, 'x'), {.within = 1ms}).error().code() == errc::closed);
  CHECK(rig.threads.time == before + 1ms + 1s);
}

TEST_CASE("an abort from another thread ends the calls that wait") {
  for (const auto& terms : core_rig::all_terms()) {
    blocking_rig rig(terms);
    rig.meanwhile.then([&] { rig.connection->abort(); });
    buffer into;
    CHECK(rig.receive(into).error().code() == errc::closed);
    CHECK(rig.send("x").error().code() == errc::closed);
  }
  blocking_rig rig(core_rig::plain_bytes());
  rig.pipe.room = 0;
  rig.meanwhile.then([&] { rig.connection->abort(); });
  CHECK(rig.send("x").error().code() == errc::closed);
}

TEST_CASE("a blocking drain without frames asks the system until the peer has read all") {
  blocking_rig rig(core_rig::plain_bytes());
  rig.features.drain = true;
  rig.pipe.drained = false;
  REQUIRE(rig.send("x").has_value());
  CHECK(rig.drain({.within = 100ms}).error().code() == errc::timed_out);
  rig.meanwhile.then([&] { rig.pipe.drained = true; });
  CHECK(rig.drain().has_value());
}

TEST_CASE("what fails below a blocking call is its error") {
  blocking_rig rig(core_rig::messages());
  rig.pipe.reads.push_back({{}, errc::io_error});
  buffer into;
  CHECK(rig.receive(into).error().code() == errc::io_error);
  rig.pipe.write_error = errc::broken_pipe;
  CHECK(rig.send("x").error().code() == errc::broken_pipe);
}

TEST_CASE("a thread that acts as a client makes no blocking call") {
  core::terms terms = core_rig::plain_bytes();
  terms.server = true;
  terms.level = impersonation_level::impersonation;
  blocking_rig rig(terms);
  REQUIRE_CALL(rig.impersonator, enter(_)).LR_SIDE_EFFECT(rig.impersonating = true).RETURN(result<void>());
  REQUIRE_CALL(rig.impersonator, revert()).LR_SIDE_EFFECT(rig.impersonating = false);
  const auto inside = [&] {
    buffer into;
    CHECK(rig.receive(into).error().code() == errc::not_while_impersonating);
    CHECK(rig.send("x").error().code() == errc::not_while_impersonating);
  };
  CHECK(detail::call_as_client(rig.connection->enter_client(), inside).has_value());
}
