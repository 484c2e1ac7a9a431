// Handshakes in which the n-th call of the seam fails, for every n, at either side.
#include <catch2/catch.hpp>
#include <catch2/trompeloeil.hpp>

#include "core_accept_rig.hpp"
#include "core_connect_rig.hpp"

using namespace tp;
using namespace tp::test;
using namespace std::chrono_literals;

namespace {

const std::vector<errc> errors = {errc::io_error, errc::no_resources,     errc::timed_out,
                                  errc::closed,   errc::connection_reset, errc::broken_pipe};

byte_vector first_bytes(const byte_vector& all, std::ptrdiff_t n) {
  return {all.begin(), all.begin() + n};
}

/// A server with a client that an accept leaves behind, one that is wrong, one that is too many and one that
/// is good; in which the n-th call fails. The number of calls.
int serve(int failing, errc code, when at) {
  server_rig rig({.max_instances = 1, .max_half_open = 2});
  rig.fails_at(failing, code, at);
  listener l = rig.listen();
  std::stop_source source;
  accepted first, second;
  rig.go(l.accept().unless(source.get_token()), first);
  std::vector<played_stream*> clients = {&rig.client(first_bytes(server_rig::hello(), 10))};
  rig.user_call([&] { source.request_stop(); });
  rig.settle();
  rig.go(l.accept(), second);
  rig.settle();
  for (const byte_vector& says : {bytes_of("hello?"), byte_vector(), byte_vector(), server_rig::hello()}) {
    clients.push_back(&rig.client(says));
    rig.settle();
  }
  const int calls = rig.calls();
  CAPTURE(failing, to_string(code), rig.failed_call());
  CHECK((first.done() && (first.code() == errc::cancelled || first.code() == code)));
  const bool served = second.done() && second->has_value();
  if (second.done() && !served) CHECK(second.code() == code);
  if (failing == 0) CHECK(served);
  CHECK(rig.numbers().instances == (second.done() && !served ? 0u : 1u));
  // Whatever failed, the endpoint serves the next good client.
  if (served) rig.user_call([&] { (*second)->abort(); });
  if (second.done()) rig.go(l.accept(), second);
  rig.settle();
  clients.push_back(&rig.client(server_rig::hello()));
  rig.settle();
  CHECK((second.done() && second->has_value() && rig.numbers().instances == 1));
  for (played_stream* each : clients) {
    if (!each->closed) each->feed_end();
  }
  rig.settle();
  CHECK(rig.numbers().half_open <= 2);
  return calls;
}

/// A client that finds nobody, a full queue, a server that goes, and one that lets it wait and accepts it;
/// in which the n-th call fails. The number of calls.
int find_server(int failing, errc code, when at) {
  client_rig rig;
  rig.fails_at(failing, code, at);
  const byte_vector reply = client_rig::acceptance();
  played_stream& goes = rig.server(first_bytes(reply, 5));
  goes.feed_end();
  played_stream& stays = rig.server(client_rig::wait());
  for (const std::byte each : reply) stays.feed({each});
  rig.attempts = {{nullptr, errc::not_found, when::now},
                  {nullptr, errc::busy, when::later},
                  {&goes, errc::none, when::later},
                  {&stays}};
  connected done;
  rig.go(rig.connecting_to("files", {.wait_for_server = true}).within(10s), done);
  rig.pass(11s);
  const int calls = rig.calls();
  const std::string& failed = rig.failed_call();
  CAPTURE(failing, to_string(code), failed);
  REQUIRE(done.done());
  // A refusal may be on its way though nothing can be written; and a server that resets is one that goes.
  const bool goes_on = (failed == "write" && code == errc::broken_pipe) ||
                       (failed == "read" && code == errc::connection_reset) || failing == 0;
  // The client that has lost the last server there is waits for another one.
  const bool nobody_is_left = goes_on && rig.tried > 4;
  if (!goes_on) CHECK(done.code() == code);
  if (goes_on) CHECK(done.code() == (nobody_is_left ? errc::timed_out : errc::none));
  if (done->has_value()) rig.user_call([&] { (*done)->abort(); });
  rig.settle();
  for (const attempt& left : rig.attempts) {
    if (left.server != nullptr) left.server->closed = left.server->released = true;
  }
  CHECK((goes.closed && stays.closed && rig.system->timers() == 0));
  return calls;
}

}  // namespace

TEST_CASE(
    "whichever call fails while a server shakes hands, the accept goes on or tells, and the next one works") {
  const int calls = serve(0, errc::none, when::now);
  CHECK(calls > 20);
  for (const errc code : errors) {
    for (int n = 1; n <= calls; ++n) {
      serve(n, code, when::now);
      serve(n, code, when::later);
    }
  }
}

TEST_CASE("whichever call fails while a client connects, connect tells it or tries again") {
  const int calls = find_server(0, errc::none, when::now);
  CHECK(calls > 10);
  for (const errc code : errors) {
    for (int n = 1; n <= calls; ++n) {
      find_server(n, code, when::now);
      find_server(n, code, when::later);
    }
  }
}

TEST_CASE("every error of the read of a reply ends connect with its code, at once or later") {
  for (const errc code : {errc::io_error, errc::timed_out, errc::no_resources}) {
    for (const when at : {when::now, when::later, when::held}) {
      client_rig rig;
      played_stream& server = rig.server();
      if (at != when::held) server.reads.push_back({{}, code, at});
      rig.attempts.push_back({&server});
      connected done;
      rig.connect_to("files", done, {.wait_for_server = true});
      if (at == when::held) server.feed_error(code);
      rig.settle();
      CHECK((done.code() == code && server.released && rig.tried == 1));
    }
  }
}

TEST_CASE("a client that cannot be attached after its reply ends the accept and takes no instance") {
  server_rig rig({.max_instances = 1});
  listener l = rig.listen();
  played_stream& client = rig.client();
  accepted first, second;
  rig.go(l.accept(), first);
  rig.attach_fails = errc::no_resources;
  client.feed(server_rig::hello());
  rig.settle();
  CHECK((first.code() == errc::no_resources && client.released));
  CHECK((rig.numbers().instances == 0 && rig.numbers().half_open == 0 && rig.numbers().admitted == 0));
  rig.attach_fails = errc::none;
  rig.client(server_rig::hello());
  rig.go(l.accept(), second);
  rig.settle();
  CHECK((second.done() && second->has_value()));
}

TEST_CASE(
    "a parked client that cannot be attached any more ends the accept that adopts it and is forgotten") {
  server_rig rig;
  listener l = rig.listen();
  std::stop_source source;
  accepted first, second, third;
  rig.go(l.accept().unless(source.get_token()), first);
  played_stream& client = rig.client();
  rig.user_call([&] { source.request_stop(); });
  rig.settle();
  CHECK(rig.numbers().half_open == 1);
  rig.attach_fails = errc::no_resources;
  rig.go(l.accept(), second);
  rig.settle();
  CHECK((second.code() == errc::no_resources && client.released && rig.numbers().half_open == 0));
  rig.attach_fails = errc::none;
  rig.client(server_rig::hello());
  rig.go(l.accept(), third);
  rig.settle();
  CHECK((third.done() && third->has_value()));
}

TEST_CASE("a parked client that is shed is closed without a word if it cannot be attached") {
  server_rig rig({.max_half_open = 1});
  listener a = rig.listen(), b = rig.listen();
  std::stop_source source;
  accepted first, second;
  rig.go(a.accept().unless(source.get_token()), first);
  played_stream& parked = rig.client();
  rig.go(b.accept(), second);
  rig.user_call([&] { source.request_stop(); });
  rig.runtime->turn(rig.system->now());
  REQUIRE(parked.reading == nullptr);  // parked, and the other listener hasn't heard of it yet
  rig.fails_at(1, errc::no_resources, when::now);
  rig.client(server_rig::hello());
  CHECK((rig.failed_call() == "attach" && rig.numbers().shed == 1));
  rig.settle();
  CHECK((parked.released && parked.written.empty() && rig.numbers().half_open == 0));
  CHECK((second.done() && second->has_value()));
}
