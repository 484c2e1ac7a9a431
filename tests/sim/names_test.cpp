// Where names are found in a world, and whom they let in.
#include <catch2/catch.hpp>

#include "rig.hpp"

namespace tp::test {

using namespace backend;
using audience = access_policy::audience;

TEST_CASE("a second bind is told who holds the name, and names differ by kind") {
  sim::world world;
  const auto alice = world.user("alice");
  const host one(world, "first", alice), two(world, "second", alice);
  const auto held = one.bind("Files");
  const auto again = two.try_bind(request("files", audience::same_user));
  REQUIRE_FALSE(again);
  CHECK(again.error() == errc::name_in_use);
  CHECK(again.error().subject() == "'/run/user/1000/twinpipe/files' is held by first, pid 1000");
  const auto own = one.try_bind(request("files", audience::same_user));
  CHECK(own.error().message().find("this very process has bound the name already") != std::string::npos);
  for (const auto* other : {"unix-abstract:files", "/tmp/files", "dotnet:files"})
    CHECK(two.try_bind(request(other, audience::same_user)));
}

TEST_CASE("a plain name is the user's own, then everybody's, which only root may bind") {
  sim::world world;
  const auto root = world.user("root", sim::privileged), alice = world.user("alice"), bob = world.user("bob");
  const host of_alice(world, "hers", alice), of_root(world, "system's", root);
  host bob_client(world, "client", bob), alice_client(world, "client", alice);
  auto wanted = request("files", audience::everyone_local);
  wanted.scope = name_scope::system;
  CHECK(of_alice.try_bind(wanted).error() == errc::access_denied);
  const auto hers = of_alice.bind("files");
  CHECK_FALSE(bob_client.connect("files"));
  CHECK(bob_client.code == errc::not_found);
  const auto everybodys = of_root.try_bind(wanted);
  REQUIRE(everybodys);
  CHECK(bob_client.connect("files")->peer().is_superuser());
  CHECK(bob_client.connect(R"(\\.\pipe\files)")->peer().is_superuser());
  CHECK(alice_client.connect("files")->peer().uid.value == alice.uid);
}

TEST_CASE("a plain name of root is in everybody's place, where others find it") {
  sim::world world;
  const host server(world, "server", world.user("root", sim::privileged));
  host client(world, "client", world.user("alice"));
  const auto bound = server.try_bind(request("files", audience::everyone_local));
  REQUIRE(bound);
  CHECK((*bound)->location() == "/run/twinpipe/files");
  CHECK(client.connect("files"));
}

TEST_CASE("the mode of a name decides who may connect") {
  sim::world world;
  const auto root = world.user("root", sim::privileged);
  const auto owner = world.user("owner", sim::privilege::none, {50});
  const auto member = world.user("member", sim::privilege::none, {50}), other = world.user("other");
  const host server(world, "server", owner);
  auto wanted = request("/run/x", audience::same_user);
  const auto reach = [&](sim::user_id who) {
    host client(world, "client", who);
    (void)client.connect("/run/x");
    return client.code;
  };
  const auto all = [&](audience policy) {
    wanted.access = request("/run/x", policy).access;
    const auto bound = server.try_bind(wanted);
    REQUIRE(bound);
    return std::vector{reach(owner), reach(root), reach(member), reach(other)};
  };
  const errc out = errc::access_denied, in = errc::none;
  CHECK(all(audience::same_user) == std::vector{in, in, out, out});
  CHECK(all(audience::group) == std::vector{in, in, in, out});
  CHECK(all(audience::users) == std::vector{in, in, in, in});
  CHECK(all(audience::everyone_local) == std::vector{in, in, in, in});
}

TEST_CASE("a bound name says in sentences what its policy can't promise") {
  sim::world world;
  const host server(world, "server", world.user("alice", sim::privilege::none, {50}));
  const auto said = [&](std::string_view name, audience who) {
    const auto bound = server.try_bind(request(name, who));
    REQUIRE(bound);
    return (*bound)->unenforced();
  };
  CHECK(said("/tmp/x", audience::same_user).empty());
  CHECK(said("/tmp/x", audience::group).empty());
  CHECK(said("/tmp/x", audience::users) == "Users who are not listed can connect and are refused only then.");
  CHECK(said("/tmp/x", audience::everyone_local).find("relay such as ssh") != std::string::npos);
  CHECK(said("unix-abstract:x", audience::same_user).find("no permissions") != std::string::npos);
}

TEST_CASE("a socket of another user is refused where a stranger could have put it") {
  sim::world world;
  const auto root = world.user("root", sim::privileged), alice = world.user("alice"), bob = world.user("bob");
  const host server(world, "server", alice);
  host own(world, "own client", alice), other(world, "client", bob), super(world, "root's client", root);
  world.directory("/run/service", {.owner = alice, .mode = 0755});
  world.directory("/run/open", {.owner = root, .mode = 0777});
  world.directory("/home/alice/deep", {.owner = alice, .mode = 0755});
  world.directory("/home/alice", {.owner = alice, .mode = 0755});
  const auto reach = [](host& client, const std::string& name) {
    (void)client.connect(name);
    return client.code;
  };
  for (const std::string place :
       {"unix-abstract:s", "/run/service/s", "/srv/s", "/tmp/s", "/run/open/s", "/home/alice/deep/s"}) {
    const bool trusted = !place.starts_with("/tmp") && !place.contains("open") && !place.contains("deep");
    const auto bound = server.try_bind(request(place, audience::everyone_local));
    REQUIRE(bound);
    CHECK(reach(own, place) == errc::none);
    CHECK(reach(other, place) == (trusted ? errc::none : errc::untrusted_location));
    CHECK(reach(super, place) == (trusted ? errc::none : errc::untrusted_location));
  }
}

TEST_CASE("an abstract name has no mode, and its location is written as it is bound") {
  sim::world world;
  const host server(world, "server", world.user("alice"));
  host client(world, "client", world.user("bob"));
  const auto bound = server.bind("unix-abstract:open");
  CHECK(client.connect("unix-abstract:open"));
  CHECK(bound->location() == "unix-abstract:open");
}

TEST_CASE("a policy wider than the user's own directory is refused at bind") {
  sim::world world;
  const host server(world, "server", world.user("alice"));
  auto wanted = request("files", audience::everyone_local);
  CHECK(server.try_bind(wanted).error() == errc::unreachable_policy);
  wanted.runtime_directory = "/srv/shared";
  const auto bound = server.try_bind(wanted);
  REQUIRE(bound);
  CHECK((*bound)->location() == "/srv/shared/files");
}

TEST_CASE("a directory that was asked for is the only place that is looked at") {
  sim::world world;
  const host server(world, "server", world.user("alice"));
  const auto bound = server.bind("files");
  const endpoint_name name = named("files");
  probe<connect_op> op;
  op.name = &name;
  op.runtime_directory = "/srv/elsewhere";
  REQUIRE(server.system->connect(op) == start::done);
  CHECK(op.code() == errc::not_found);
  CHECK(*op.detail == "files; /srv/elsewhere/files: not_found");
}

TEST_CASE("a failed connect lists the places it tried, and stops at the first that refuses") {
  sim::world world;
  const auto root = world.user("root", sim::privileged);
  host client(world, "client", world.user("alice"));
  CHECK_FALSE(client.connect("files"));
  CHECK(client.detail == "files; /run/user/1000/twinpipe/files: not_found; /run/twinpipe/files: not_found");
  const host server(world, "server", root);
  auto wanted = request("files", audience::same_user);
  wanted.scope = name_scope::system;
  const auto bound = server.try_bind(wanted);
  REQUIRE(bound);
  CHECK_FALSE(client.connect("files"));
  CHECK(client.code == errc::access_denied);
}

TEST_CASE("names of other machines are not supported") {
  sim::world world;
  host client(world, "client", world.user("alice"));
  for (const auto* name : {R"(\\elsewhere\pipe\x)", "ssh://elsewhere/x"}) {
    CHECK_FALSE(client.connect(name));
    CHECK(client.code == errc::not_supported);
    CHECK(client.try_bind(request(name, audience::same_user)).error() == errc::not_supported);
  }
}

}  // namespace tp::test
