// The server's side when clients, the system and the application misbehave, at every stage of an accept.
#include <catch2/catch.hpp>
#include <catch2/trompeloeil.hpp>

#include "core_accept_rig.hpp"

using namespace tp;
using namespace tp::test;
using namespace std::chrono_literals;
using wire::reply_status;

namespace {

struct hostile {
  const char* what;
  byte_vector says;
  std::optional<reply_status> answer;  ///< none: a line for people
};

byte_vector changed_hello(std::size_t at, unsigned value) {
  byte_vector hello = server_rig::hello();
  hello[at] = static_cast<std::byte>(value);
  return hello;
}

std::vector<hostile> hostiles() {
  wire::client_hello demanding;
  demanding.offered = demanding.required = 1u << 20 | wire::feature_framed;
  wire::client_hello later;
  later.version_min = later.version_max = 9;
  wire::client_hello early;
  early.offered = wire::feature_framed;
  early.early_length = 1;
  byte_vector critical = server_rig::hello();
  append(critical, from_hex("23 81 00 00"));
  critical[8] = std::byte{36};
  return {
      {"HTTP", bytes_of("GET / HTTP/1.1\r\n\r\n"), std::nullopt},
      {"one wrong byte", changed_hello(7, 0), std::nullopt},
      {"our own reply", wire::encode(wire::server_reply{}), std::nullopt},
      {"length 0", changed_hello(8, 0), reply_status::malformed},
      {"length 65535", changed_hello(9, 0xff), reply_status::malformed},
      {"version 0", changed_hello(10, 0), reply_status::malformed},
      {"level 200", changed_hello(20, 200), reply_status::malformed},
      {"no direction", changed_hello(21, 0), reply_status::malformed},
      {"a later version", wire::encode(later), reply_status::version},
      {"an unknown requirement", wire::encode(demanding), reply_status::required_feature},
      {"an unknown critical extension", critical, reply_status::required_feature},
      {"another mode", server_rig::hello({.mode = transmission::message}), reply_status::mode_mismatch},
      {"another direction", server_rig::hello({.direction = direction::out}), reply_status::direction},
      {"early data", wire::encode(early), reply_status::early_refused},
  };
}

}  // namespace

TEST_CASE(
    "a hostile client is refused with the right words, takes no instance, and the next one is accepted") {
  for (const hostile& each : hostiles()) {
    for (const bool byte_by_byte : {false, true}) {
      server_rig rig({.max_instances = 1});
      listener l = rig.listen();
      accepted done;
      rig.go(l.accept(), done);
      played_stream& bad = rig.client();
      if (byte_by_byte) {
        for (const std::byte b : each.says) bad.feed({b});
      } else {
        bad.feed(each.says);
      }
      rig.settle();
      CAPTURE(each.what, byte_by_byte);
      CHECK(server_rig::reply_to(bad) == each.answer);
      if (!each.answer) CHECK(bad.written.size() > 20);
      CHECK((!done.done() && rig.numbers().refused == 1 && rig.numbers().half_open == 0));
      bad.feed_end();
      rig.settle();
      CHECK(bad.released);
      rig.client(server_rig::hello());
      rig.settle();
      CHECK((done.done() && done->has_value()));
    }
  }
}

TEST_CASE("a client that talks on after its refusal is listened to for a second or 64 KiB and then closed") {
  for (const bool floods : {true, false}) {
    server_rig rig;
    listener l = rig.listen();
    accepted done;
    rig.go(l.accept(), done);
    played_stream& bad = rig.client(bytes_of("hello?"));
    rig.settle();
    REQUIRE(bad.reading != nullptr);
    CHECK(bad.reading->deadline == rig.system->now() + 1s);
    if (!floods) bad.time_out_read();
    for (int i = 0; floods && i < 100 && !bad.closed; ++i) bad.feed(pattern(1000, 1));
    rig.settle();
    CHECK((bad.closed && bad.released));
  }
}

TEST_CASE("a client that leaves at any byte of its hello is forgotten") {
  const byte_vector hello = server_rig::hello();
  for (std::size_t at = 0; at < hello.size(); ++at) {
    for (const errc code : {errc::none, errc::connection_reset, errc::io_error}) {
      server_rig rig;
      listener l = rig.listen();
      accepted done;
      rig.go(l.accept(), done);
      played_stream& client = rig.client({hello.begin(), hello.begin() + static_cast<std::ptrdiff_t>(at)});
      code == errc::none ? client.feed_end() : client.feed_error(code);
      rig.settle();
      CHECK((!done.done() && rig.numbers().half_open == 0 && client.released));
    }
  }
}

TEST_CASE("a reply that cannot be written is no accept: the next hello gets the slot") {
  for (const when at : {when::now, when::later}) {
    for (const errc code : {errc::broken_pipe, errc::timed_out, errc::io_error}) {
      server_rig rig({.max_instances = 1});
      listener l = rig.listen();
      played_stream& gone = rig.client(server_rig::hello());
      gone.writes.push_back({5, code, at});
      accepted done;
      rig.go(l.accept(), done);
      rig.settle();
      CHECK((!done.done() && gone.released && rig.numbers().instances == 1));
      rig.client(server_rig::hello());
      rig.settle();
      CHECK((done.done() && done->has_value() && rig.numbers().instances == 1));
    }
  }
}

TEST_CASE("while a reply is being written other hellos wait, and the first takes over when it fails") {
  server_rig rig;
  listener l = rig.listen();
  accepted done;
  rig.go(l.accept(), done);
  played_stream& second = rig.client();
  played_stream& first = rig.client();
  first.write_rest.at = when::held;
  first.feed(server_rig::hello());
  second.feed(server_rig::hello());
  rig.settle();
  CHECK((!done.done() && second.written.empty()));
  first.finish_write(0, errc::broken_pipe);
  rig.settle();
  CHECK((done.done() && done->has_value() && server_rig::reply_to(second) == reply_status::accepted));
}

TEST_CASE("an accept that is stopped while it writes its reply succeeds with it, or ends when it fails") {
  for (const bool by_deadline : {true, false}) {
    for (const errc code : {errc::none, errc::broken_pipe}) {
      server_rig rig;
      listener l = rig.listen();
      played_stream& client = rig.client(server_rig::hello());
      client.write_rest.at = when::held;
      std::stop_source source;
      accepted done;
      rig.go(l.accept().within(1s).unless(source.get_token()), done);
      if (!by_deadline) rig.user_call([&] { source.request_stop(); });
      by_deadline ? rig.pass(1s) : rig.settle();
      CHECK_FALSE(done.done());
      client.finish_write(code == errc::none ? SIZE_MAX : 0, code);
      rig.settle();
      REQUIRE(done.done());
      CHECK(done->has_value() == (code == errc::none));
      if (code != errc::none) CHECK(done.code() == (by_deadline ? errc::timed_out : errc::cancelled));
    }
  }
}

TEST_CASE("every error of the acceptor ends the accept with its code, and the next accept works") {
  for (const errc code : {errc::no_resources, errc::io_error, errc::closed}) {
    for (const bool at_once : {true, false}) {
      server_rig rig;
      listener l = rig.listen();
      accepted first, second;
      if (at_once) rig.acceptor().errors.push_back(code);
      rig.go(l.accept(), first);
      if (!at_once) rig.acceptor().errors.push_back(code);
      rig.wake();
      rig.settle();
      CHECK((first.code() == code && rig.numbers().instances == 0));
      rig.client(server_rig::hello());
      rig.go(l.accept(), second);
      rig.settle();
      CHECK((second.done() && second->has_value()));
    }
  }
}

TEST_CASE("a client that cannot be attached ends the accept with the reason and is not counted") {
  server_rig rig;
  listener l = rig.listen();
  rig.attach_fails = errc::no_resources;
  accepted done;
  rig.go(l.accept(), done);
  rig.client(server_rig::hello());
  rig.settle();
  CHECK((done.code() == errc::no_resources && rig.numbers().half_open == 0 && rig.numbers().instances == 0));
}

TEST_CASE("a client that the accept meets while it is stopped is not lost") {
  for (const profile p : {profile::native, profile::raw}) {
    server_rig rig({.profile = p});
    listener l = rig.listen();
    rig.acceptor().cancel_meets_client = true;
    std::stop_source source;
    accepted first, second;
    rig.go(l.accept().unless(source.get_token()), first);
    played_stream& client = rig.stream();
    client.detacher = [&] {
      ++client.stale_releases;
      return std::make_unique<played_detached>(client);
    };
    if (p == profile::native) client.feed(server_rig::hello());
    rig.backlog.push_back(&client);
    source.request_stop();
    rig.settle();
    CHECK(first.code() == errc::cancelled);
    rig.go(l.accept(), second);
    rig.settle();
    CHECK((second.done() && second->has_value() && !client.closed));
  }
}

TEST_CASE("whom the kernel's word excludes is refused before its hello is read") {
  server_rig rig;
  listener l = rig.listen();
  accepted done;
  rig.go(l.accept(), done);
  played_stream& stranger = rig.stream();
  stranger.mock.who.uid = {4711, trust::authoritative};
  stranger.reads.push_back({bytes_of("not a hello at all, and nobody complains")});
  rig.backlog.push_back(&stranger);
  rig.wake();
  rig.settle();
  CHECK((server_rig::reply_to(stranger) == reply_status::access_denied && rig.numbers().refused == 1));
  CHECK_FALSE(done.done());
}

TEST_CASE("the authorize callback decides after the hello, and its reason reaches the client") {
  server_rig rig({.access = access_policy::same_user().authorize([](const client_request& who) {
    return who.program == "good" ? admission::grant() : admission::deny("ask the owner");
  })});
  listener l = rig.listen();
  accepted done;
  rig.go(l.accept(), done);
  played_stream& bad = rig.client(server_rig::hello({.program = "bad"}));
  rig.settle();
  CHECK(server_rig::reply_to(bad) == reply_status::access_denied);
  wire::hello_reader reader(wire::hello_side::from_server);
  feed(reader, bad.written);
  CHECK(reader.reply().extra.reason == "ask the owner");
  rig.client(server_rig::hello({.program = "good"}));
  rig.settle();
  CHECK(done.done());
}
