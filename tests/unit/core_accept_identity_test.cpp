// Clients of whom the system tells with their first bytes only who they are: when they are judged, and by
// what.
#include <catch2/catch.hpp>
#include <catch2/trompeloeil.hpp>

#include "core_accept_rig.hpp"

using namespace tp;
using namespace tp::test;
using namespace std::chrono_literals;
using wire::reply_status;

namespace {

identity user(std::uint32_t uid) {
  identity made;
  made.uid = {uid, trust::authoritative};
  return made;
}

// Unknown at accept; `who` with its first bytes, or never.
played_stream& stranger(server_rig& rig, std::optional<identity> who, byte_vector says = {}) {
  played_stream& made = rig.client_to_be();
  made.mock.who = {};
  made.peer_follows = true;
  made.revealed = std::move(who);
  if (!says.empty()) made.feed(std::move(says));
  rig.arrive(made);
  return made;
}

}  // namespace

TEST_CASE("a client that becomes known with its hello is admitted by what is known then") {
  std::optional<std::uint32_t> asked;
  server_rig rig({.access = access_policy::same_user().authorize([&](const client_request& request) {
    asked = request.who.uid.value;
    return admission::grant();
  })});
  listener l = rig.listen();
  accepted done;
  rig.go(l.accept(), done);
  played_stream& client = stranger(rig, user(1000));
  CHECK((!done.done() && client.reading != nullptr && client.written.empty()));
  client.feed(server_rig::hello());
  rig.settle();
  REQUIRE((done.done() && done->has_value()));
  CHECK((asked == 1000u && (*done)->peer().uid.value == 1000u));
  CHECK((rig.numbers().refused == 0 && rig.numbers().half_open == 0));
}

TEST_CASE("a client that becomes known as somebody else is refused before anything it says is parsed") {
  for (const byte_vector& says : {server_rig::hello(), bytes_of("no hello at all, and nobody complains")}) {
    for (const bool waits : {false, true}) {
      server_rig rig;
      listener l = rig.listen();
      accepted done;
      rig.go(l.accept(), done);
      played_stream& client = stranger(rig, user(4711), waits ? byte_vector{} : says);
      if (waits) client.feed(says);
      rig.settle();
      CHECK(server_rig::reply_to(client) == reply_status::access_denied);
      CHECK((rig.numbers().refused == 1 && rig.numbers().half_open == 0 && !done.done()));
      rig.client(server_rig::hello());
      rig.settle();
      CHECK((done.done() && done->has_value()));
    }
  }
}

TEST_CASE("a client that stays unknown is refused by the default policy, and admitted where everyone is") {
  for (const bool everyone : {false, true}) {
    server_rig rig({.access = everyone ? access_policy::everyone_local() : access_policy::same_user()});
    listener l = rig.listen();
    accepted done;
    rig.go(l.accept(), done);
    played_stream& client = stranger(rig, std::nullopt, server_rig::hello());
    rig.settle();
    CHECK(server_rig::reply_to(client) == (everyone ? reply_status::accepted : reply_status::access_denied));
    CHECK((done.done() == everyone && rig.numbers().refused == (everyone ? 0 : 1)));
  }
}

TEST_CASE("one byte is enough to judge a client, and one that says nothing learns no more than the policy") {
  server_rig rig;
  listener l = rig.listen();
  accepted done;
  rig.go(l.accept(), done);
  played_stream& terse = stranger(rig, user(4711), {std::byte{0x89}});
  rig.settle();
  CHECK(server_rig::reply_to(terse) == reply_status::access_denied);
  played_stream& silent = stranger(rig, user(1000));
  REQUIRE(silent.reading != nullptr);
  silent.time_out_read();
  rig.settle();
  CHECK(server_rig::reply_to(silent) == reply_status::access_denied);
  CHECK((rig.numbers().refused == 2 && rig.numbers().half_open == 0 && !done.done()));
}

TEST_CASE("an unknown client that was parked is judged by whichever accept reads it") {
  for (const std::uint32_t uid : {1000u, 4711u}) {
    server_rig rig;
    listener a = rig.listen(), b = rig.listen();
    std::stop_source source;
    accepted first, second;
    rig.go(a.accept().unless(source.get_token()), first);
    played_stream& client = stranger(rig, user(uid));
    rig.user_call([&] { source.request_stop(); });
    rig.settle();
    REQUIRE((first.code() == errc::cancelled && rig.numbers().half_open == 1));
    rig.go(b.accept(), second);
    rig.settle();
    client.feed(server_rig::hello());
    rig.settle();
    CHECK(server_rig::reply_to(client) ==
          (uid == 1000 ? reply_status::accepted : reply_status::access_denied));
    CHECK((second.done() == (uid == 1000) && rig.numbers().half_open == 0));
  }
}

TEST_CASE("an unknown client is refused at once if its bytes would tell nothing, or if there is no hello") {
  for (const bool raw : {false, true}) {
    server_rig rig({.profile = raw ? profile::raw : profile::native});
    listener l = rig.listen();
    accepted done;
    rig.go(l.accept(), done);
    played_stream& client = rig.client_to_be();
    client.mock.who = {};
    client.peer_follows = raw;
    rig.arrive(client);
    rig.settle();
    CHECK((!done.done() && rig.numbers().refused == 1 && rig.numbers().half_open == 0));
    CHECK(server_rig::reply_to(client) == (raw ? std::nullopt : std::optional(reply_status::access_denied)));
  }
}
