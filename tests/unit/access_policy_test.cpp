// Access policies: whom each audience admits, and the application's own question.
#include <catch2/catch.hpp>
#include <string>
#include <utility>

#include "twinpipe/options.hpp"

namespace {

using tp::access_policy;
using tp::admission;
using tp::identity;
using tp::trust;

identity person(std::uint32_t uid, std::uint32_t gid, std::vector<std::uint32_t> groups = {}) {
  identity who;
  who.uid = {uid, trust::authoritative};
  who.gid = {gid, trust::authoritative};
  who.groups = {std::move(groups), trust::authoritative};
  return who;
}

identity unmapped() {
  identity who;
  who.uid = {65534, trust::unknown};
  who.gid = {65534, trust::unknown};
  who.groups = {{65534}, trust::unknown};
  who.pid = {9, trust::advisory};
  return who;
}

const identity self = person(1000, 1000);
const identity root = person(0, 0);
const identity alice = person(1001, 1001, {50});
const identity bob = person(1002, 1002);

tp::client_request request_of(const identity& who) {
  return {who, tp::impersonation_level::identification, tp::transmission::byte, "program"};
}

}  // namespace

TEST_CASE("the default policy admits the own user and root, nobody else") {
  const access_policy policy;
  CHECK(policy.who() == access_policy::audience::same_user);
  CHECK(policy.admits(self, self));
  CHECK(policy.admits(root, self));
  CHECK_FALSE(policy.admits(alice, self));
}

TEST_CASE("a server of root with the default policy admits root only") {
  CHECK(access_policy::same_user().admits(root, root));
  CHECK_FALSE(access_policy::same_user().admits(alice, root));
}

TEST_CASE("a group's policy admits its primary and supplementary members, the own user and root") {
  const access_policy policy = access_policy::group(50);
  CHECK(policy.who() == access_policy::audience::group);
  CHECK(policy.ids() == std::vector<std::uint32_t>{50});
  CHECK(policy.admits(alice, self));
  CHECK(policy.admits(person(1003, 50), self));
  CHECK(policy.admits(self, self));
  CHECK(policy.admits(root, self));
  CHECK_FALSE(policy.admits(bob, self));
}

TEST_CASE("a list of users admits them, the own user and root") {
  const access_policy policy = access_policy::users({1001, 1003});
  CHECK(policy.ids() == std::vector<std::uint32_t>{1001, 1003});
  CHECK(policy.admits(alice, self));
  CHECK(policy.admits(self, self));
  CHECK(policy.admits(root, self));
  CHECK_FALSE(policy.admits(bob, self));
  CHECK_FALSE(access_policy::users({}).admits(alice, self));
}

TEST_CASE("an identity the kernel does not know is admitted only where everyone is") {
  CHECK_FALSE(access_policy::same_user().admits(unmapped(), self));
  CHECK_FALSE(access_policy::same_user().admits(unmapped(), unmapped()));
  CHECK_FALSE(access_policy::group(65534).admits(unmapped(), self));
  CHECK_FALSE(access_policy::users({65534}).admits(unmapped(), self));
  CHECK(access_policy::everyone_local().admits(unmapped(), self));
  CHECK(access_policy::everyone_local().admits(identity{}, self));
}

TEST_CASE("advisory facts admit nobody") {
  identity claimed = self;
  claimed.uid.level = claimed.gid.level = claimed.groups.level = trust::advisory;
  CHECK_FALSE(access_policy::same_user().admits(claimed, self));
  CHECK_FALSE(access_policy::group(1000).admits(claimed, self));
  CHECK_FALSE(access_policy::users({1000}).admits(claimed, self));
}

TEST_CASE("a peer on another host is refused by every audience") {
  identity remote = alice;
  for (const trust level : {trust::advisory, trust::authoritative}) {
    remote.host = {"far", level};
    CHECK_FALSE(access_policy::same_user().admits(remote, alice));
    CHECK_FALSE(access_policy::group(50).admits(remote, self));
    CHECK_FALSE(access_policy::users({1001}).admits(remote, self));
    CHECK_FALSE(access_policy::everyone_local().admits(remote, self));
  }
}

TEST_CASE("everyone local admits every user of this machine") {
  const access_policy policy = access_policy::everyone_local();
  CHECK(policy.who() == access_policy::audience::everyone_local);
  CHECK(policy.admits(alice, self));
  CHECK(policy.admits(root, self));
}

TEST_CASE("without a callback every request is granted") {
  CHECK(access_policy::same_user().ask(request_of(alice)).granted);
}

TEST_CASE("the callback sees the request and its answer and reason stand") {
  const auto policy = access_policy::everyone_local().authorize([](const tp::client_request& request) {
    return request.who.uid.value == 1001 ? admission::grant() : admission::deny("only alice");
  });
  CHECK(policy.ask(request_of(alice)).granted);
  const admission refused = policy.ask(request_of(bob));
  CHECK_FALSE(refused.granted);
  CHECK(refused.reason == "only alice");
  CHECK(policy.who() == access_policy::audience::everyone_local);
}

TEST_CASE("a callback can be given to a policy that has a name, and replaced") {
  access_policy policy;
  policy.authorize([](const tp::client_request&) { return admission::deny(); });
  CHECK_FALSE(policy.ask(request_of(self)).granted);
  CHECK(policy.ask(request_of(self)).reason.empty());
  policy.authorize([](const tp::client_request&) { return admission::grant(); });
  CHECK(policy.ask(request_of(self)).granted);
}
