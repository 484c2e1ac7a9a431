// The server's side of a handshake: clients that come at any pace, and what the endpoint counts.
#include <catch2/catch.hpp>
#include <catch2/trompeloeil.hpp>

#include "core_accept_rig.hpp"

using namespace tp;
using namespace tp::test;
using namespace std::chrono_literals;
using wire::reply_status;

TEST_CASE("a client whose hello is there is accepted, and its slot is free when the connection is gone") {
  server_rig rig({.max_instances = 1});
  listener l = rig.listen();
  played_stream& client = rig.client(server_rig::hello());
  accepted first, second;
  rig.go(l.accept(), first);
  rig.settle();
  REQUIRE((first.done() && first->has_value()));
  CHECK(server_rig::reply_to(client) == reply_status::accepted);
  CHECK((rig.numbers().instances == 1 && rig.numbers().half_open == 0 && rig.numbers().admitted == 1));
  rig.client(server_rig::hello());
  rig.go(l.accept(), second);
  rig.settle();
  CHECK((!second.done() && rig.numbers().instances == 1));
  rig.user_call([&] { (*first)->abort(); });
  rig.settle();
  CHECK((second.done() && second->has_value() && rig.numbers().instances == 1));
}

TEST_CASE("a hello that comes in two pieces, cut at any byte, is a good hello") {
  const byte_vector hello = server_rig::hello({.program = "cut"});
  for (std::size_t cut = 0; cut <= hello.size(); ++cut) {
    server_rig rig;
    listener l = rig.listen();
    accepted done;
    rig.go(l.accept(), done);
    played_stream& client = rig.client({hello.begin(), hello.begin() + static_cast<std::ptrdiff_t>(cut)});
    rig.settle();
    if (cut < hello.size()) client.feed({hello.begin() + static_cast<std::ptrdiff_t>(cut), hello.end()});
    rig.settle();
    REQUIRE((done.done() && done->has_value()));
    CHECK((*done)->id() == 1);
  }
}

TEST_CASE("bytes behind the hello belong to the connection") {
  server_rig rig({.mode = transmission::message});
  listener l = rig.listen();
  byte_vector all = server_rig::hello({.mode = transmission::message});
  append(all, message_frames(bytes_of("early")));
  rig.client(all);
  accepted done;
  rig.go(l.accept(), done);
  rig.settle();
  REQUIRE((done.done() && done->has_value()));
  buffer into;
  awaited<result<received>> got;
  rig.go((*done)->receive(into), got);
  rig.settle();
  CHECK((got.done() && into.text() == "early"));
}

TEST_CASE("slow and silent clients delay nobody: the first complete hello is accepted") {
  server_rig rig;
  listener l = rig.listen();
  accepted done;
  rig.go(l.accept(), done);
  const byte_vector hello = server_rig::hello();
  rig.client();
  rig.client({hello.begin(), hello.begin() + 5});
  rig.client({hello.begin(), hello.end() - 1});
  CHECK(rig.numbers().half_open == 3);
  played_stream& quick = rig.client(hello);
  rig.settle();
  REQUIRE((done.done() && done->has_value()));
  CHECK(server_rig::reply_to(quick) == reply_status::accepted);
  CHECK(rig.numbers().half_open == 3);
}

TEST_CASE("clients that an ended accept leaves behind are adopted by the next one, of whichever listener") {
  for (const bool other : {false, true}) {
    server_rig rig;
    listener a = rig.listen(), b = rig.listen();
    const byte_vector hello = server_rig::hello();
    std::stop_source source;
    accepted first, second;
    rig.go(a.accept().unless(source.get_token()), first);
    played_stream& client = rig.client({hello.begin(), hello.begin() + 10});
    rig.user_call([&] { source.request_stop(); });
    rig.settle();
    CHECK((first.code() == errc::cancelled && rig.numbers().half_open == 1 && client.reading == nullptr));
    rig.go((other ? b : a).accept(), second);
    rig.settle();
    REQUIRE(client.reading != nullptr);
    client.feed({hello.begin() + 10, hello.end()});
    rig.settle();
    CHECK((second.done() && second->has_value() && rig.numbers().half_open == 0));
  }
}

TEST_CASE("a client that was parked is heard before those of the backlog") {
  server_rig rig;
  listener l = rig.listen();
  const byte_vector hello = server_rig::hello();
  std::stop_source source;
  accepted first, second;
  rig.go(l.accept().unless(source.get_token()), first);
  played_stream& early = rig.client({hello.begin(), hello.begin() + 10});
  rig.user_call([&] { source.request_stop(); });
  rig.settle();
  played_stream& late = rig.client(hello);
  early.feed({hello.begin() + 10, hello.end()});
  rig.go(l.accept(), second);
  rig.settle();
  CHECK((second.done() && second->has_value()));
  CHECK((server_rig::reply_to(early) == reply_status::accepted && late.written.empty()));
}

TEST_CASE("a parked client is taken by an accept that waits already") {
  server_rig rig;
  listener a = rig.listen(), b = rig.listen();
  const byte_vector hello = server_rig::hello();
  std::stop_source source;
  accepted first, second;
  rig.go(a.accept().unless(source.get_token()), first);
  played_stream& client = rig.client({hello.begin(), hello.begin() + 10});
  rig.go(b.accept(), second);
  rig.user_call([&] { source.request_stop(); });
  rig.settle();
  client.feed({hello.begin() + 10, hello.end()});
  rig.settle();
  CHECK((second.done() && second->has_value()));
}

TEST_CASE("the time of a client that nobody reads stands still, and runs on when it is read again") {
  server_rig rig({.handshake_timeout = 5s});
  listener l = rig.listen();
  std::stop_source source;
  accepted first, second;
  rig.go(l.accept().unless(source.get_token()), first);
  played_stream& client = rig.client();
  REQUIRE(client.reading != nullptr);
  CHECK(client.reading->deadline == rig.system->now() + 5s);
  rig.pass(3s);
  source.request_stop();
  rig.pass(60s);
  rig.go(l.accept(), second);
  rig.settle();
  REQUIRE(client.reading != nullptr);
  CHECK(client.reading->deadline == rig.system->now() + 2s);
}

TEST_CASE("a client whose time is up is told the profile if it was silent, and else that it was slow") {
  for (const bool silent : {true, false}) {
    server_rig rig;
    listener l = rig.listen();
    accepted done;
    rig.go(l.accept(), done);
    played_stream& client =
        rig.client(silent ? byte_vector{} : byte_vector{std::byte{0x89}, std::byte{0x54}});
    REQUIRE(client.reading != nullptr);
    client.time_out_read();
    rig.settle();
    client.feed_end();
    rig.settle();
    CHECK((!done.done() && rig.numbers().half_open == 0 && client.released));
    CHECK((rig.numbers().refused == 1));
    const std::string said(reinterpret_cast<const char*>(client.written.data()), client.written.size());
    if (silent) CHECK((said.starts_with("twinpipe") && said.ends_with("\n") && said.size() <= 128));
    if (!silent) CHECK(server_rig::reply_to(client) == reply_status::malformed);
  }
}

TEST_CASE("beyond the limit of half-open clients the oldest is refused as overloaded") {
  server_rig rig({.max_half_open = 3});
  listener l = rig.listen();
  accepted done;
  rig.go(l.accept(), done);
  std::vector<played_stream*> clients;
  for (int i = 0; i < 5; ++i) clients.push_back(&rig.client());
  rig.settle();
  CHECK((rig.numbers().half_open == 3 && rig.numbers().shed == 2));
  CHECK(server_rig::reply_to(*clients[0]) == reply_status::overloaded);
  CHECK(server_rig::reply_to(*clients[1]) == reply_status::overloaded);
  CHECK(clients[2]->written.empty());
  played_stream& good = rig.client(server_rig::hello());
  rig.settle();
  CHECK((done.done() && server_rig::reply_to(good) == reply_status::accepted));
}

TEST_CASE("parked clients are shed first") {
  server_rig rig({.max_half_open = 2});
  listener l = rig.listen();
  std::stop_source source;
  accepted first, second;
  rig.go(l.accept().unless(source.get_token()), first);
  played_stream& parked = rig.client();
  rig.client();
  source.request_stop();
  rig.settle();
  CHECK(rig.numbers().half_open == 2);
  listener other = rig.listen();
  rig.client(server_rig::hello());
  rig.go(other.accept(), second);
  rig.settle();
  CHECK((second.done() && rig.numbers().half_open <= 2));
  CHECK((rig.numbers().shed == 1 && server_rig::reply_to(parked) == reply_status::overloaded));
}
