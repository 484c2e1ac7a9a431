// Receives of an asynchronous connection over a mocked stream.
#include <catch2/catch.hpp>
#include <catch2/trompeloeil.hpp>

#include "core_rig.hpp"

using namespace tp;
using namespace tp::test;
using namespace std::chrono_literals;
using trompeloeil::_;

namespace {

byte_vector on_the_wire(const core::terms& terms, std::string_view text) {
  return terms.framed ? message_frames(bytes_of(text)) : bytes_of(text);
}

}  // namespace

TEST_CASE("a receive of what is there completes at once, and of what comes later in that turn") {
  for (const auto& terms : core_rig::all_terms()) {
    for (const when at : {when::now, when::later, when::held}) {
      core_rig rig;
      played_stream& stream = rig.stream();
      if (at != when::held) stream.reads.push_back({on_the_wire(terms, "hello"), errc::none, at});
      connection c = rig.connect(stream, terms);
      buffer into;
      got done;
      rig.go(c.receive(into), done);
      CHECK(done.at_once == (at == when::now));
      if (at == when::held) stream.feed(on_the_wire(terms, "hello"));
      rig.settle();
      REQUIRE(done.done());
      CHECK((into.text() == "hello" && (*done)->bytes == 5 && (*done)->complete && !(*done)->end));
    }
  }
}

TEST_CASE("a receive into no memory is done at once, reads nothing without frames, and is not the end") {
  core_rig rig;
  played_stream& stream = rig.stream();
  stream.reads.push_back({bytes_of("hello"), errc::none});
  connection c = rig.connect(stream, core_rig::plain_bytes());
  got none, some;
  rig.go(c.receive(std::span<std::byte>{}), none);
  REQUIRE(none.at_once);
  CHECK(((*none)->bytes == 0 && (*none)->complete && !(*none)->end));
  std::array<std::byte, 10> into{};
  rig.go(c.receive(into), some);
  REQUIRE(some.at_once);
  CHECK((*some)->bytes == 5);
}

TEST_CASE("a message that comes one byte at a time is received whole") {
  core_rig rig;
  played_stream& stream = rig.stream();
  connection c = rig.connect(stream, core_rig::messages());
  buffer into;
  got done;
  rig.go(c.receive(into), done);
  for (const std::byte each : message_frames(bytes_of("byte by byte"), 5)) stream.feed({each});
  rig.settle();
  REQUIRE(done.done());
  CHECK(into.text() == "byte by byte");
}

TEST_CASE("a second receive while one is pending is refused and the first goes on") {
  core_rig rig;
  played_stream& stream = rig.stream();
  connection c = rig.connect(stream, core_rig::messages());
  buffer into, other;
  got first, second;
  rig.go(c.receive(into), first);
  rig.go(c.receive(other), second);
  CHECK((second.at_once && second.code() == errc::operation_in_progress));
  stream.feed(message_frames(bytes_of("x")));
  CHECK((first.done() && into.text() == "x"));
}

TEST_CASE("a receive on a side that only sends is refused") {
  core_rig rig;
  core::terms terms = core_rig::messages();
  terms.can_receive = false;
  connection c = rig.connect(rig.stream(), terms);
  buffer into;
  got done;
  rig.go(c.receive(into), done);
  CHECK((done.at_once && done.code() == errc::wrong_direction));
}

TEST_CASE(
    "every error of a read ends the receive with its code, at once or later, and every receive after it") {
  for (const auto& terms : core_rig::all_terms()) {
    for (const errc code : {errc::io_error, errc::no_resources, errc::closed, errc::timed_out}) {
      for (const when at : {when::now, when::later}) {
        core_rig rig;
        played_stream& stream = rig.stream();
        stream.reads.push_back({{}, code, at});
        connection c = rig.connect(stream, terms);
        buffer into;
        got first, second;
        rig.go(c.receive(into), first);
        rig.settle();
        rig.go(c.receive(into), second);
        CAPTURE(to_string(code));
        CHECK((first.code() == code && second.code() == code && second.at_once));
      }
    }
  }
}

TEST_CASE("the end is a value and said again; after a reset it says that bytes were discarded") {
  for (const auto& terms : core_rig::all_terms()) {
    for (const bool reset : {false, true}) {
      core_rig rig;
      played_stream& stream = rig.stream();
      stream.reads.push_back({on_the_wire(terms, "last"), errc::none});
      stream.reads.push_back({{}, reset ? errc::connection_reset : errc::none, when::later});
      connection c = rig.connect(stream, terms);
      std::array<std::byte, 10> into{};
      got data;
      rig.go(c.receive(into), data);
      REQUIRE(data.done());
      CHECK((*data)->bytes == 4);
      for (int i = 0; i < 3; ++i) {
        got end;
        rig.go(c.receive(into), end);
        rig.settle();
        REQUIRE((end.done() && end->has_value()));
        CHECK(((*end)->end && (*end)->bytes == 0 && (*end)->discarded == reset));
      }
    }
  }
}

TEST_CASE("a stopped receive that holds nothing is cancelled, and the next one gets the bytes") {
  for (const auto& terms : core_rig::all_terms()) {
    for (const bool by_deadline : {false, true}) {
      core_rig rig;
      played_stream& stream = rig.stream();
      connection c = rig.connect(stream, terms);
      std::array<std::byte, 10> into{};
      std::stop_source source;
      got first, second;
      rig.go(c.receive(into).within(3s).unless(source.get_token()), first);
      if (!by_deadline) rig.user_call([&] { source.request_stop(); });
      by_deadline ? rig.pass(3s) : rig.settle();
      CHECK(first.code() == (by_deadline ? errc::timed_out : errc::cancelled));
      rig.go(c.receive(into), second);
      stream.feed(on_the_wire(terms, "bytes"));
      rig.settle();
      REQUIRE(second.done());
      CHECK((*second)->bytes == 5);
    }
  }
}

TEST_CASE("a stop that meets bytes loses none of them: the receive succeeds") {
  for (const auto& terms : {core_rig::plain_bytes(), core_rig::messages()}) {
    core_rig rig;
    played_stream& stream = rig.stream();
    connection c = rig.connect(stream, terms);
    // With frames, the read behind one that was full goes straight into the caller's memory.
    const std::size_t before = terms.framed ? sizeof(core::read_block) - 8 : 0;
    byte_vector into(before + 3);
    std::stop_source source;
    got done;
    rig.go(c.receive(into).unless(source.get_token()), done);
    const byte_vector wire = on_the_wire(terms, std::string(before, '.') + "met");
    if (terms.framed) stream.feed({wire.begin(), wire.end() - 3});
    REQUIRE((stream.reading != nullptr && stream.reading->into.data() == into.data() + before));
    stream.met_by_cancel = bytes_of("met");
    rig.user_call([&] { source.request_stop(); });
    CHECK_FALSE(done.done());
    rig.settle();
    REQUIRE((done.done() && done->has_value()));
    CHECK(((*done)->bytes == into.size() && (*done)->complete && into[before] == std::byte{'m'}));
  }
}

TEST_CASE("a stop and bytes of the same turn: whichever is first decides, and no byte is lost") {
  for (const auto& terms : core_rig::all_terms()) {
    for (const bool bytes_first : {true, false}) {
      core_rig rig;
      played_stream& stream = rig.stream();
      connection c = rig.connect(stream, terms);
      buffer into;
      std::stop_source source;
      got first, second;
      rig.go(c.receive(into).unless(source.get_token()), first);
      rig.user_call([&] { source.request_stop(); });
      if (!bytes_first) rig.settle();
      stream.feed(on_the_wire(terms, "met"));
      rig.settle();
      CHECK((first.done() && first.code() == (bytes_first ? errc::none : errc::cancelled)));
      if (!bytes_first) rig.go(c.receive(into), second);
      CHECK((bytes_first || second.done()));
      CHECK(into.text() == "met");
    }
  }
}

TEST_CASE("a stopped receive into a span hands over the part that it holds") {
  for (const bool in_payload : {false, true}) {
    core_rig rig;
    played_stream& stream = rig.stream();
    connection c = rig.connect(stream, core_rig::messages());
    std::array<std::byte, 10> into{};
    std::stop_source source;
    got first, second;
    rig.go(c.receive(into).unless(source.get_token()), first);
    byte_vector all = message_frames(bytes_of("abcdef"), 4);
    const std::ptrdiff_t part = in_payload ? 10 : 12;
    stream.feed({all.begin(), all.begin() + part});
    rig.user_call([&] { source.request_stop(); });
    rig.settle();
    REQUIRE((first.done() && first->has_value()));
    CHECK(((*first)->bytes == static_cast<std::size_t>(part - 8) && !(*first)->complete));
    rig.go(c.receive(into), second);
    stream.feed({all.begin() + part, all.end()});
    rig.settle();
    REQUIRE((second.done() && second->has_value()));
    CHECK(((*second)->bytes == 14 - static_cast<std::size_t>(part) && (*second)->complete));
  }
}

TEST_CASE("the memory of a receive is not touched after its completion") {
  for (const auto& terms : core_rig::all_terms()) {
    core_rig rig;
    played_stream& stream = rig.stream();
    connection c = rig.connect(stream, terms);
    std::stop_source source;
    got first, second;
    auto memory = std::make_unique<byte_vector>(100);
    rig.go(c.receive(std::span(*memory)).unless(source.get_token()), first);
    rig.user_call([&] { source.request_stop(); });
    rig.settle();
    REQUIRE(first.done());
    memory.reset();
    stream.feed(on_the_wire(terms, "late"));
    rig.settle();
    buffer into;
    rig.go(c.receive(into), second);
    rig.settle();
    REQUIRE(second.done());
    CHECK(into.text() == "late");
  }
}

TEST_CASE("a waiter may receive again, send and destroy the connection in the turn that resumed it") {
  core_rig rig;
  played_stream& stream = rig.stream();
  std::optional<connection> c(rig.connect(stream, core_rig::messages()));
  bool ended = false;
  const auto talk = [](std::optional<connection>& on, bool& done) -> detail::root {
    buffer into;
    for (int i = 0; i < 3; ++i) {
      const auto r = co_await on->receive(into);
      if (!r) FAIL_CHECK(r.error().message());
      const auto s = co_await on->send(into.text());
      if (!s) FAIL_CHECK(s.error().message());
    }
    on.reset();
    done = true;
  };
  talk(c, ended);
  byte_vector all;
  for (int i = 0; i < 3; ++i) append(all, message_frames(bytes_of("echo")));
  stream.feed(all);
  rig.settle();
  CHECK((ended && stream.written == all && stream.closed));
}
