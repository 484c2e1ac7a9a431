// The client's way from a name to a connection: attempts, waiting, the handshake, and its end at every stage.
#include <catch2/catch.hpp>
#include <catch2/trompeloeil.hpp>

#include "core_connect_rig.hpp"

using namespace tp;
using namespace tp::test;
using namespace std::chrono_literals;

namespace {
constexpr std::uint32_t message_features =
    wire::feature_message | wire::feature_framed | wire::feature_app_drain;
}

TEST_CASE("a client that is accepted has a connection on the server's terms") {
  for (const when at : {when::now, when::later}) {
    client_rig rig;
    rig.attempts.push_back({&rig.server(client_rig::acceptance(message_features, 100)), errc::none, at});
    connected done;
    rig.connect_to("files", done, {.mode = transmission::message});
    rig.settle();
    REQUIRE((done.done() && done->has_value()));
    connection& c = **done;
    CHECK((c.id() == 42 && c.mode() == transmission::message &&
           c.drain_guarantee() == drain_guarantee::application));
    awaited<send_result> sent;
    rig.go(c.send(std::string(101, 'x')), sent);
    CHECK(sent.code() == errc::message_too_large);
  }
}

TEST_CASE("the twin is told which level the client grants, at every attempt") {
  for (const auto level : {impersonation_level::anonymous, impersonation_level::identification,
                           impersonation_level::impersonation, impersonation_level::delegation}) {
    client_rig rig;
    rig.attempts.push_back({nullptr, errc::busy});
    rig.attempts.push_back({&rig.server(client_rig::acceptance())});
    connected done;
    rig.connect_to("files", done, {.level = level});
    CHECK(std::exchange(rig.asked_level, std::nullopt) == level);
    rig.pass(100ms);
    CHECK((rig.tried == 2 && rig.asked_level == level && done.done()));
  }
}

TEST_CASE("a reply that comes in two pieces, cut at any byte, is a good reply") {
  const byte_vector reply = client_rig::acceptance();
  for (std::size_t cut = 0; cut < reply.size(); ++cut) {
    client_rig rig;
    played_stream& server = rig.server({reply.begin(), reply.begin() + static_cast<std::ptrdiff_t>(cut)});
    rig.attempts.push_back({&server});
    connected done;
    rig.connect_to("files", done);
    CHECK_FALSE(done.done());
    byte_vector rest(reply.begin() + static_cast<std::ptrdiff_t>(cut), reply.end());
    append(rest, bytes_of("stream"));
    server.feed(rest);
    rig.settle();
    REQUIRE((done.done() && done->has_value()));
    buffer into;
    awaited<result<received>> got;
    rig.go((*done)->receive(into), got);
    CHECK(into.text() == "stream");
  }
}

TEST_CASE("where nobody listens connect fails at once with every place that was tried") {
  client_rig rig;
  connected done;
  rig.connect_to("files", done);
  REQUIRE(done.at_once);
  CHECK(done.code() == errc::not_found);
  CHECK(done->error().message().find("/tried/here: nobody") != std::string::npos);
}

TEST_CASE(
    "a client that waits for a server tries again until there is one, and is timed_out if there is none") {
  for (const bool comes : {true, false}) {
    client_rig rig;
    if (comes) {
      for (int i = 0; i < 20; ++i)
        rig.attempts.push_back({nullptr, errc::not_found, i % 2 == 0 ? when::now : when::later});
      rig.attempts.push_back({&rig.server(client_rig::acceptance())});
    }
    connected done;
    const connect_options options{.wait_for_server = true};
    rig.go(rig.connecting_to("files", options).within(3s), done);
    rig.pass(3s);
    REQUIRE(done.done());
    if (comes) CHECK((done->has_value() && rig.tried == 21));
    if (!comes) CHECK((done.code() == errc::timed_out && rig.tried > 60 && rig.tried < 3100));
    if (!comes) CHECK(done->error().message().find("(/tried/here: nobody)") != std::string::npos);
  }
}

TEST_CASE("a full backlog is tried again, and is busy at the deadline") {
  client_rig rig;
  for (int i = 0; i < 1000; ++i) rig.attempts.push_back({nullptr, errc::busy});
  connected done;
  rig.go(rig.connecting_to("files").within(1s), done);
  rig.pass(1s);
  CHECK(done.code() == errc::busy);
}

TEST_CASE("attempts are 1 to 50 ms apart, ever longer, and chance parts clients that began together") {
  std::vector<std::vector<duration>> gaps;
  for (const int chance : {0, 0x55, 0xff}) {
    client_rig rig;
    rig.threads.chance = static_cast<std::byte>(chance);
    for (int i = 0; i < 1000; ++i) rig.attempts.push_back({nullptr, errc::busy});
    connected done;
    rig.go(rig.connecting_to("files").within(1s), done);
    rig.pass(1s);
    auto& mine = gaps.emplace_back();
    for (std::size_t i = 1; i < rig.tried_at.size(); ++i)
      mine.push_back(rig.tried_at[i] - rig.tried_at[i - 1]);
    REQUIRE(mine.size() > 15);
    CHECK((std::ranges::min(mine) >= 1ms && std::ranges::max(mine) <= 50ms));
    CHECK((mine.front() <= 2ms && mine.back() >= 25ms));
  }
  CHECK((gaps[0].back() != gaps[1].back() && gaps[1].back() != gaps[2].back()));
}

TEST_CASE("a connect with no time makes exactly one attempt") {
  for (const errc code : {errc::none, errc::not_found, errc::busy}) {
    client_rig rig;
    rig.attempts.push_back({code == errc::none ? &rig.server(client_rig::acceptance()) : nullptr, code});
    connected done;
    rig.go(rig.connecting_to("files", {.wait_for_server = true}).within(0s), done);
    rig.pass(1s);
    CHECK((done.done() && rig.tried == 1));
    CHECK(done.code() == (code == errc::not_found ? errc::timed_out : code));
  }
}

TEST_CASE("every error of an attempt ends connect with its code, at once or later") {
  for (const errc code : {errc::access_denied, errc::untrusted_location, errc::name_too_long,
                          errc::not_supported, errc::no_resources, errc::io_error}) {
    for (const when at : {when::now, when::later}) {
      client_rig rig;
      rig.attempts.push_back({nullptr, code, at});
      connected done;
      rig.connect_to("files", done, {.wait_for_server = true});
      rig.settle();
      CHECK((done.code() == code && rig.tried == 1));
    }
  }
}

TEST_CASE("a silent server is busy at the deadline, and the error names the raw profile") {
  for (const bool waited : {true, false}) {
    client_rig rig;
    played_stream& server = rig.server();
    rig.attempts.push_back({&server});
    connected done;
    rig.go(rig.connecting_to("files").within(2s), done);
    if (waited) server.feed(client_rig::wait());
    rig.pass(2s);
    CHECK((done.code() == errc::busy && server.released));
    CHECK((done->error().message().find("raw") != std::string::npos) != waited);
  }
}

TEST_CASE("connect can be stopped at every stage, and nothing of it stays") {
  for (int stage = 0; stage < 4; ++stage) {
    client_rig rig;
    played_stream& server = rig.server();
    attempt next{&server, errc::none, stage == 0 ? when::held : when::now};
    if (stage == 1) next = {nullptr, errc::busy, when::now};
    if (stage == 2) server.write_rest.at = when::held;
    rig.attempts.push_back(std::move(next));
    std::stop_source source;
    connected done;
    rig.go(rig.connecting_to("files").unless(source.get_token()), done);
    CHECK_FALSE(done.done());
    rig.user_call([&] { source.request_stop(); });
    CHECK_FALSE(done.done());
    rig.settle();
    CAPTURE(stage);
    CHECK(done.code() == errc::cancelled);
    CHECK(rig.system->timers() == 0);
    if (stage == 1) server.released = true;
  }
}

TEST_CASE("a connect that met its stop closes the stream it got all the same") {
  client_rig rig;
  played_stream& server = rig.server();
  rig.attempts.push_back({&server, errc::none, when::held});
  rig.system->on_cancel_connect = [&](backend::op& op) { rig.system->later(op, {}); };
  std::stop_source source;
  connected done;
  rig.go(rig.connecting_to("files").unless(source.get_token()), done);
  source.request_stop();
  rig.settle();
  CHECK((done.code() == errc::cancelled && server.closed));
}

TEST_CASE(
    "a server that goes while the client waits is server_gone, or waited for if the client asked for that") {
  for (const bool waits : {true, false}) {
    for (const errc code : {errc::none, errc::connection_reset}) {
      for (const std::size_t said : sizes{0, 20}) {
        client_rig rig;
        const byte_vector reply = client_rig::acceptance();
        played_stream& first = rig.server({reply.begin(), reply.begin() + static_cast<std::ptrdiff_t>(said)});
        rig.attempts.push_back({&first});
        rig.attempts.push_back({&rig.server(reply)});
        connected done;
        rig.connect_to("files", done, {.wait_for_server = waits});
        code == errc::none ? first.feed_end() : first.feed_error(code);
        rig.pass(1s);
        REQUIRE(done.done());
        CHECK(first.released);
        if (waits) CHECK(done->has_value());
        if (!waits) CHECK((done.code() == errc::server_gone && rig.tried == 1));
        for (attempt& left : rig.attempts) left.server->released = true;
      }
    }
  }
}

TEST_CASE(
    "a server that turns the client away because it closes is closing, or waited for like one that goes") {
  for (const bool waits : {true, false}) {
    client_rig rig;
    played_stream& first = rig.server(client_rig::answer_with(wire::reply_status::closing));
    rig.attempts.push_back({&first});
    rig.attempts.push_back({&rig.server(client_rig::acceptance())});
    connected done;
    rig.connect_to("files", done, {.wait_for_server = waits});
    rig.pass(1s);
    REQUIRE(done.done());
    CHECK(first.released);
    if (waits) CHECK((done->has_value() && rig.tried == 2));
    if (!waits) CHECK((done.code() == errc::closing && rig.tried == 1));
    for (attempt& left : rig.attempts) left.server->released = true;
  }
}

TEST_CASE("attempts are 1 to 50 ms apart, and follow each other quickly again after a server was lost") {
  client_rig rig;
  for (int i = 0; i < 9; ++i) rig.attempts.push_back({nullptr, errc::busy});
  played_stream& lost = rig.server();
  lost.feed_end();
  rig.attempts.push_back({&lost});
  rig.attempts.push_back({&rig.server(client_rig::acceptance())});
  connected done;
  rig.connect_to("files", done, {.wait_for_server = true});
  std::vector<duration> gaps;
  for (time_point last = rig.system->now(); !done.done() && gaps.size() < 100;) {
    const int before = rig.tried;
    static_cast<void>(rig.runtime->turn(last + 1s));
    if (rig.tried == before) continue;
    gaps.push_back(rig.system->now() - last);
    last = rig.system->now();
  }
  REQUIRE((done.done() && done->has_value() && gaps.size() == 10));
  CHECK(std::ranges::all_of(gaps, [](duration each) { return each >= 1ms && each <= 50ms; }));
  CHECK((gaps[8] >= 25ms && gaps[9] <= 2ms));
}

TEST_CASE("the server is checked before the first byte goes to it") {
  client_rig rig;
  played_stream& server = rig.server(client_rig::acceptance());
  server.mock.who.uid = {4711, trust::authoritative};
  FORBID_CALL(server.mock, write(trompeloeil::_));
  rig.attempts.push_back({&server});
  connected done;
  rig.connect_to("files", done);
  CHECK((done.code() == errc::untrusted_server && server.closed));
}

TEST_CASE("a hello that cannot be written still lets the server's refusal be read") {
  client_rig rig;
  played_stream& server = rig.server(client_rig::answer_with(wire::reply_status::access_denied, "no"));
  server.writes.push_back({0, errc::broken_pipe});
  rig.attempts.push_back({&server});
  connected done;
  rig.connect_to("files", done);
  CHECK(done.code() == errc::access_denied);
  client_rig other;
  played_stream& broken = other.server();
  broken.writes.push_back({0, errc::io_error, when::later});
  other.attempts.push_back({&broken});
  other.connect_to("files", done);
  other.settle();
  CHECK(done.code() == errc::io_error);
}

TEST_CASE("options and names that make no sense are refused before anything is tried") {
  client_rig rig;
  connected done;
  rig.connect_to("a/b", done);
  CHECK((done.at_once && done.code() == errc::invalid_name));
  const std::vector<std::pair<connect_options, std::string>> senseless = {
      {{.mode = transmission::message, .profile = profile::raw}, "no message mode"},
      {{.profile = profile::raw, .framed = true}, "no frames"},
      {{.max_message = max_message_limit + 1}, "max_message"},
      {{.runtime_directory = "here"}, "runtime_directory"}};
  for (const auto& [options, reason] : senseless) {
    rig.connect_to("files", done, options);
    REQUIRE(done.code() == errc::invalid_argument);
    CHECK(done->error().message().find(reason) != std::string::npos);
  }
  rig.attach_fails = errc::no_resources;
  rig.attempts.push_back({&rig.server()});
  rig.connect_to("files", done);
  CHECK((done.code() == errc::no_resources && rig.tried == 1));
}

TEST_CASE("a connect that is never awaited tries nothing") {
  client_rig rig;
  {
    auto never_awaited = rig.connecting_to("files");
  }
  CHECK(rig.tried == 0);
}
