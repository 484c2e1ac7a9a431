// What random scripts have found, step by step: the simulated side was wrong.
#include <catch2/catch.hpp>

#include "duet.hpp"
#include "support/skip.hpp"

namespace tp::test::parity::api {

namespace {

/// Alice serves both places; Bob is beside her.
const cast alice_and_bob{.who = {person::alice, person::bob}, .servers = {person::alice, person::alice}};

constexpr manner for_everyone{.admits = access_policy::audience::everyone_local,
                              .trust = server_trust::anyone};
constexpr manner for_herself{.trust = server_trust::anyone};

}  // namespace

TEST_CASE(
    "who may not write to the socket that a dead server has left is told so, and others that it is absent") {
  if (!may_be_others()) return skip("needs root: other users connect");
  duet sides(alice_and_bob, 1, false);
  sides.play({.what = verb::bind, .process = 0, .at = 0, .with = for_herself});
  sides.play({.what = verb::bind, .process = 0, .at = 1, .with = for_everyone});
  sides.play({.what = verb::crash, .process = 0});
  sides.play({.what = verb::connect, .process = 1, .at = 0, .with = for_herself});
  CHECK(outcome_of(sides.ended().front()) == "access_denied");
  sides.play({.what = verb::connect, .process = 1, .at = 1, .with = for_everyone});
  CHECK(outcome_of(sides.ended().front()) == "not_found");
  CHECK(sides.difference() == "");
}

TEST_CASE("who isn't in a group binds no name for it") {
  if (!may_be_others()) return skip("needs root: other users bind");
  cast bob = alice_and_bob;
  bob.servers = {person::alice, person::bob};
  const manner for_group{.admits = access_policy::audience::group};
  duet sides(bob, 1, false);
  sides.play({.what = verb::bind, .process = 0, .at = 0, .with = for_group});
  CHECK(outcome_of(sides.ended().front()) == "ok");
  sides.play({.what = verb::bind, .process = 1, .at = 1, .with = for_group});
  CHECK(outcome_of(sides.ended().front()) == "access_denied");
  CHECK(sides.difference() == "");
}

TEST_CASE("an abstract name stays taken as long as a listener that blocks hasn't heard of its end") {
  const cast one{.who = {person::own}, .abstract = {true, false}, .blocking = true};
  duet sides(one, 1, false);
  sides.play({.what = verb::bind, .process = 0, .at = 0});
  sides.play({.what = verb::unbind, .process = 0, .at = 0});
  sides.play({.what = verb::bind, .process = 0, .at = 0});
  CHECK(outcome_of(sides.ended().front()) == "name_in_use");
  sides.finish();
  CHECK(sides.difference() == "");
}

TEST_CASE("silent clients of an accept that blocks are told when its endpoint closes") {
  const cast two{.who = {person::own, person::own}, .strange = {true, false}, .blocking = true};
  duet sides(two, 1, false);
  sides.play({.what = verb::bind, .process = 0, .at = 0});
  sides.play({.what = verb::accept, .process = 0, .at = 0});
  sides.play({.what = verb::connect, .process = 1, .at = 0, .with = {.how = style::raw}});
  sides.play({.what = verb::receive, .process = 1, .at = 3, .n = 1000});
  sides.play({.what = verb::unbind, .process = 0, .at = 0});
  CHECK(sides.ended().size() == 3);
  sides.finish();
  CHECK(sides.difference() == "");
}

}  // namespace tp::test::parity::api
