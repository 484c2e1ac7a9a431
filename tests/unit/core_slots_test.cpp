// The endpoint's instances and its end, at every stage of the accepts that share it.
#include <catch2/catch.hpp>
#include <catch2/trompeloeil.hpp>

#include "core/instances.hpp"
#include "core_accept_rig.hpp"

using namespace tp;
using namespace tp::test;
using namespace std::chrono_literals;
using wire::reply_status;

TEST_CASE("instances are counted up to their maximum and no further") {
  core::instances count(2);
  CHECK((count.try_take() && count.try_take() && !count.try_take()));
  count.give_back();
  CHECK((count.used() == 1 && count.try_take() && !count.try_take()));
  core::instances unbounded(unlimited);
  for (int i = 0; i < 1000; ++i) CHECK(unbounded.try_take());
}

TEST_CASE("a freed instance goes to the accept that waited longest") {
  server_rig rig({.max_instances = 1});
  listener a = rig.listen(), b = rig.listen(), c = rig.listen();
  accepted first, second, third;
  rig.go(a.accept(), first);
  rig.client(server_rig::hello());
  rig.settle();
  rig.go(b.accept(), second);
  rig.go(c.accept(), third);
  rig.client(server_rig::hello());
  rig.client(server_rig::hello());
  for (accepted* next : {&second, &third}) {
    CHECK_FALSE(next->done());
    rig.user_call([&] { (next == &second ? first : second)->value().abort(); });
    rig.settle();
    CHECK((next->done() && next->operator->()->has_value() && rig.numbers().instances == 1));
  }
}

TEST_CASE("an accept that was stopped in the line gives its place to the next") {
  server_rig rig({.max_instances = 1});
  listener a = rig.listen(), b = rig.listen(), c = rig.listen();
  std::stop_source source;
  accepted first, second, third;
  rig.go(a.accept(), first);
  rig.client(server_rig::hello());
  rig.settle();
  rig.go(b.accept().unless(source.get_token()), second);
  rig.go(c.accept(), third);
  rig.client(server_rig::hello());
  rig.user_call([&] { source.request_stop(); });
  rig.settle();
  CHECK(second.code() == errc::cancelled);
  (*first)->abort();
  rig.settle();
  CHECK((third.done() && third->has_value()));
}

TEST_CASE("an instance granted to an accept that is stopped before it hears of it is not lost") {
  server_rig rig({.max_instances = 1});
  listener a = rig.listen(), b = rig.listen();
  std::stop_source source;
  accepted first, second, third;
  rig.go(a.accept(), first);
  rig.client(server_rig::hello());
  rig.settle();
  rig.go(b.accept().unless(source.get_token()), second);
  source.request_stop();  // the mail of the stop comes first, then that of the grant
  (*first)->abort();
  rig.settle();
  CHECK(second.code() == errc::cancelled);
  CHECK(rig.numbers().instances == 0);
  rig.client(server_rig::hello());
  rig.go(a.accept(), third);
  rig.settle();
  CHECK((third.done() && third->has_value()));
}

TEST_CASE("a listener destroyed in the line, or with a grant it never heard of, loses no instance") {
  for (const bool granted : {true, false}) {
    server_rig rig({.max_instances = 1});
    listener a = rig.listen();
    std::optional<listener> b(rig.listen());
    accepted first, second, third;
    rig.go(a.accept(), first);
    rig.client(server_rig::hello());
    rig.settle();
    rig.go(b->accept(), second);
    if (granted) (*first)->abort();
    rig.user_call([&] { b.reset(); });
    CHECK_FALSE(second.done());
    if (!granted) (*first)->abort();
    rig.settle();
    CHECK((second.code() == errc::closed && rig.numbers().instances == 0));
  }
}

TEST_CASE("one accept may be pending on a listener") {
  server_rig rig;
  listener l = rig.listen();
  accepted first, second;
  rig.go(l.accept(), first);
  rig.go(l.accept(), second);
  CHECK((second.at_once && second.code() == errc::operation_in_progress && !first.done()));
}

TEST_CASE("an accept ends at its deadline or when it is stopped, and holds no instance afterwards") {
  for (const bool waits_for_slot : {true, false}) {
    for (const bool by_deadline : {true, false}) {
      server_rig rig({.max_instances = 1});
      listener a = rig.listen(), b = rig.listen();
      accepted holder, done;
      rig.go(a.accept(), holder);
      if (!waits_for_slot) {
        rig.client(server_rig::hello());
        rig.settle();
        (*holder)->abort();
      }
      std::stop_source source;
      rig.go(b.accept().within(2s).unless(source.get_token()), done);
      if (!by_deadline) rig.user_call([&] { source.request_stop(); });
      by_deadline ? rig.pass(2s) : rig.settle();
      CHECK(done.code() == (by_deadline ? errc::timed_out : errc::cancelled));
      CHECK(rig.numbers().instances == (waits_for_slot ? 1u : 0u));
    }
  }
}

TEST_CASE("deadlines of accepts that follow each other on one listener are each their own") {
  server_rig rig;
  listener l = rig.listen();
  accepted first, second;
  std::stop_source source;
  rig.go(l.accept().within(10s).unless(source.get_token()), first);
  source.request_stop();
  rig.settle();
  rig.go(l.accept().within(3s), second);
  rig.pass(2s);
  CHECK_FALSE(second.done());
  rig.pass(1s);
  CHECK(second.code() == errc::timed_out);
}

TEST_CASE(
    "closing an endpoint ends its accepts on a later turn and refuses clients at every stage of their "
    "hello") {
  const byte_vector hello = server_rig::hello();
  for (std::size_t at = 0; at < hello.size(); at += 3) {
    server_rig rig;
    listener a = rig.listen(), b = rig.listen();
    std::stop_source source;
    accepted first, second, parked;
    rig.go(b.accept().unless(source.get_token()), parked);
    played_stream& left = rig.client({hello.begin(), hello.begin() + static_cast<std::ptrdiff_t>(at)});
    source.request_stop();
    rig.settle();
    rig.go(a.accept(), first);
    rig.go(b.accept(), second);
    played_stream& here = rig.client({hello.begin(), hello.begin() + static_cast<std::ptrdiff_t>(at)});
    REQUIRE_CALL(*rig.bound, withdraw());
    rig.user_call([&] { rig.endpoint->state()->close(); });
    CHECK((!first.done() && !second.done()));
    rig.settle();
    CHECK((first.code() == errc::closed && second.code() == errc::closed));
    CHECK(server_rig::reply_to(left) == reply_status::closing);
    CHECK(server_rig::reply_to(here) == reply_status::closing);
    CHECK((rig.numbers().instances == 0 && rig.numbers().half_open == 0));
    accepted late;
    rig.go(a.accept(), late);
    CHECK((late.at_once && late.code() == errc::closed));
  }
}

TEST_CASE("clients parked with nobody accepting are refused when the endpoint closes") {
  server_rig rig;
  listener l = rig.listen();
  std::stop_source source;
  accepted done;
  rig.go(l.accept().unless(source.get_token()), done);
  played_stream& client = rig.client();
  source.request_stop();
  rig.settle();
  rig.endpoint->state()->close();
  rig.settle();
  CHECK(server_rig::reply_to(client) == reply_status::closing);
}

TEST_CASE("an endpoint that closes while a reply is being written drops that client and ends the accept") {
  server_rig rig;
  listener l = rig.listen();
  played_stream& client = rig.client(server_rig::hello());
  client.write_rest.at = when::held;
  accepted done;
  rig.go(l.accept(), done);
  rig.settle();
  rig.endpoint->state()->close();
  rig.settle();
  CHECK((done.code() == errc::closed && client.closed && rig.numbers().instances == 0));
}

TEST_CASE("connections live on when their endpoint closes") {
  server_rig rig;
  listener l = rig.listen();
  played_stream& client = rig.client(server_rig::hello());
  accepted done;
  rig.go(l.accept(), done);
  rig.settle();
  rig.endpoint->state()->close();
  rig.settle();
  awaited<send_result> sent;
  rig.go((*done)->send("still here"), sent);
  CHECK((sent.done() && sent.code() == errc::none && !client.closed));
}

TEST_CASE("a listener destroyed with half-open clients leaves them to the others") {
  server_rig rig;
  std::optional<listener> a(rig.listen());
  listener b = rig.listen();
  accepted first, second;
  rig.go(a->accept(), first);
  played_stream& client = rig.client();
  rig.user_call([&] { a.reset(); });
  CHECK_FALSE(first.done());
  rig.settle();
  CHECK(first.code() == errc::closed);
  rig.go(b.accept(), second);
  rig.settle();
  client.feed(server_rig::hello());
  rig.settle();
  CHECK((second.done() && second->has_value()));
}

TEST_CASE("whatever happens, instances are never more than their maximum and are all given back") {
  for (std::uint64_t seed = 1; seed <= 40; ++seed) {
    generator random(seed);
    server_rig rig({.max_instances = 1 + random.below(3), .max_half_open = 4});
    std::vector<listener> listeners;
    for (int i = 0; i < 3; ++i) listeners.push_back(rig.listen());
    std::vector<accepted> accepts(3);
    std::vector<std::stop_source> stops(3);
    std::vector<played_stream*> clients;
    std::vector<connection> connections;
    for (int step = 0; step < 80; ++step) {
      const std::size_t i = random.below(3);
      switch (random.below(7)) {
        case 0:
        case 1:
          if (accepts[i].place->waiting && !accepts[i].done()) break;
          stops[i] = std::stop_source();
          rig.go(listeners[i].accept().unless(stops[i].get_token()), accepts[i]);
          break;
        case 2:
          clients.push_back(&rig.client(random.below(2) == 0 ? server_rig::hello() : byte_vector{}));
          break;
        case 3:
          stops[i].request_stop();
          break;
        case 4:
          if (!clients.empty() && clients.back()->reading != nullptr)
            clients.back()->feed(server_rig::hello());
          break;
        case 5:
          if (!connections.empty()) connections.pop_back();
          break;
        default:
          rig.settle();
      }
      for (accepted& each : accepts) {
        if (!each.done() || !each->has_value()) continue;
        connections.push_back(std::move(**each));
        each = {};
      }
      if (rig.numbers().instances > rig.endpoint->state()->options().max_instances) FAIL_CHECK("too many");
      if (rig.numbers().instances < connections.size()) FAIL_CHECK("a connection without an instance");
    }
  }
}
