// Half-open clients between two accepts: who is told of them, and who refuses them when the endpoint ends.
#include <catch2/catch.hpp>
#include <catch2/trompeloeil.hpp>

#include "core_accept_rig.hpp"

using namespace tp;
using namespace tp::test;
using namespace std::chrono_literals;
using wire::reply_status;

namespace {

/// A client that an accept has left at the endpoint, parked; it has said nothing yet.
played_stream& parked_client(server_rig& rig, listener& by) {
  std::stop_source source;
  accepted ended;
  rig.go(by.accept().unless(source.get_token()), ended);
  played_stream& client = rig.client();
  source.request_stop();
  rig.settle();
  REQUIRE((ended.code() == errc::cancelled && rig.numbers().half_open == 1 && client.reading == nullptr));
  return client;
}

}  // namespace

TEST_CASE("clients that an ended accept leaves reach every accept that waits, not only the first") {
  server_rig rig;
  listener a = rig.listen(), b = rig.listen(), c = rig.listen();
  accepted first, second, third;
  rig.go(c.accept(), third);
  played_stream& winner = rig.client();
  winner.write_rest.at = when::held;
  for (played_stream* each : {&winner, &rig.client(), &rig.client()}) each->feed(server_rig::hello());
  rig.go(a.accept(), first);
  rig.go(b.accept(), second);
  rig.settle();
  CHECK((!first.done() && !second.done() && !third.done()));
  winner.finish_write(SIZE_MAX);
  rig.settle();
  CHECK((first.done() && second.done() && third.done() && rig.numbers().half_open == 0));
}

TEST_CASE("a client parked while an accept writes a reply is taken by it when the reply fails") {
  server_rig rig;
  listener a = rig.listen(), b = rig.listen();
  std::stop_source source;
  accepted first, second;
  rig.go(b.accept().unless(source.get_token()), second);
  played_stream& slow = rig.client();
  rig.go(a.accept(), first);
  played_stream& gone = rig.client();
  REQUIRE(rig.acceptor(1).accepting != nullptr);
  gone.write_rest.at = when::held;
  gone.feed(server_rig::hello());
  source.request_stop();
  rig.settle();
  REQUIRE((second.code() == errc::cancelled && slow.reading == nullptr && rig.numbers().half_open == 2));
  slow.feed(server_rig::hello());
  gone.finish_write(0, errc::broken_pipe);
  rig.settle();
  CHECK((first.done() && first->has_value() && server_rig::reply_to(slow) == reply_status::accepted));
}

TEST_CASE("parked clients are refused though the last listener goes in the turn that closes the endpoint") {
  server_rig rig;
  std::optional<listener> a(rig.listen()), b(rig.listen());
  played_stream& client = parked_client(rig, *a);
  rig.user_call([&] {
    rig.endpoint->state()->close();
    a.reset();
    b.reset();
  });
  rig.settle();
  CHECK((server_rig::reply_to(client) == reply_status::closing && rig.numbers().half_open == 0));
}

TEST_CASE("a listener that is the endpoint's last handle refuses the parked clients as it goes") {
  server_rig rig;
  std::optional<listener> l(rig.listen());
  played_stream& client = parked_client(rig, *l);
  const auto state = rig.endpoint->state();
  rig.endpoint.reset();
  CHECK_FALSE(state->closed());
  l.reset();
  CHECK(state->closed());
  rig.settle();
  CHECK(server_rig::reply_to(client) == reply_status::closing);
  rig.endpoint = std::make_shared<detail::endpoint_owner>(state);
}

TEST_CASE("a client on its way to the endpoint when that closes is refused, not dropped") {
  for (const bool listener_goes : {true, false}) {
    server_rig rig;
    std::optional<listener> l(rig.listen());
    accepted done;
    rig.go(l->accept().within(1s), done);
    played_stream& client = rig.client();
    static_cast<void>(rig.runtime->turn(rig.system->now() + 1s));
    REQUIRE((client.reading == nullptr && client.stale_releases == 0));  // cancelled, and not yet completed
    rig.endpoint->state()->close();
    if (listener_goes) l.reset();
    rig.settle();
    CHECK((server_rig::reply_to(client) == reply_status::closing && rig.numbers().half_open == 0));
  }
}

TEST_CASE("an endpoint that closes without a listener drops its parked clients and counts them no more") {
  server_rig rig;
  std::optional<listener> l(rig.listen());
  played_stream& client = parked_client(rig, *l);
  l.reset();
  CHECK((!client.closed && rig.numbers().half_open == 1));
  rig.endpoint->state()->close();
  CHECK((client.closed && rig.numbers().half_open == 0));
}

TEST_CASE("the last listener that is struck from a closed endpoint takes the parked clients with it") {
  server_rig rig;
  detail::endpoint_state& state = *rig.endpoint->state();
  played_stream& client = rig.stream();
  detail::listener_ticket first, last;
  for (detail::listener_ticket* each : {&first, &last}) {
    each->box = rig.runtime->shared_mail();
    REQUIRE(state.enrol(*each));
  }
  static_cast<void>(state.enter_half_open());
  CHECK_FALSE(state.park({std::make_unique<played_detached>(client),
                          wire::hello_reader(wire::hello_side::from_client), duration::zero()}));
  state.close();
  state.strike(first);
  CHECK((!client.closed && rig.numbers().half_open == 1));
  state.strike(last);
  CHECK((client.closed && rig.numbers().half_open == 0));
}

TEST_CASE("a raw client that is left behind is closed without a word") {
  server_rig rig({.profile = profile::raw});
  listener l = rig.listen();
  rig.acceptor().cancel_meets_client = true;
  std::stop_source source;
  accepted done;
  rig.go(l.accept().unless(source.get_token()), done);
  played_stream& client = rig.stream();
  rig.backlog.push_back(&client);
  source.request_stop();
  rig.settle();
  REQUIRE((done.code() == errc::cancelled && rig.numbers().half_open == 1));
  rig.endpoint->state()->close();
  rig.settle();
  CHECK((client.closed && client.written.empty() && rig.numbers().half_open == 0));
}

TEST_CASE("a listener that another is moved into ends its accept and leaves its clients to the others") {
  server_rig rig;
  listener a = rig.listen(), b = rig.listen();
  accepted first, second;
  rig.go(a.accept(), first);
  played_stream& client = rig.client(bytes_of("\x89"));
  rig.user_call([&] { a = std::move(b); });
  rig.settle();
  CHECK((first.code() == errc::closed && rig.acceptor(0).released && !rig.acceptor(1).released));
  rig.go(a.accept(), second);
  rig.settle();
  const byte_vector hello = server_rig::hello();
  client.feed({hello.begin() + 1, hello.end()});
  rig.settle();
  CHECK((second.done() && second->has_value()));
}
