// Access: who is let in, and which server a client puts up with.
#include <array>
#include <deque>
#include <memory>
#include <vector>

#include "conformance/cases_support.hpp"

namespace tp::conformance {

namespace {

struct visitor {
  user who;
  bool welcome;
};

/// An endpoint with that policy, and visitors one after the other; the last must be welcome.
void receive_visitors(world& w, const std::string& name, const access_policy& policy,
                      const std::vector<visitor>& visitors) {
  const auto flags = std::make_shared<std::deque<flag>>();
  flags->emplace_back(w);
  w.party("server", [=, &w](party& p) -> task<void> {
    endpoint_options options;
    options.access = policy;
    auto [served, door] = p.serve(flags->front(), name, options);
    for (const visitor& each : visitors) {
      if (!each.welcome) continue;
      connection c = co_await p.accept(door);
      EXPECT(p, c.peer().uid.value == w.uid(each.who));
      co_await p.hear(c, "hello");
    }
  });
  for (const visitor& each : visitors) {
    flag &mine = flags->back(), &next = flags->emplace_back(w);
    w.party(w.process(each.who), "visitor", [=, &mine, &next](party& p) -> task<void> {
      co_await p.wait(mine);
      auto got = co_await p.try_connect(name);
      if (!each.welcome) p.refusal(got, errc::access_denied);
      if (each.welcome) {
        connection c = p.value(std::move(got));
        co_await p.send(c, "hello");
      }
      next.set();
    });
  }
}

/// A name that has no permissions of its own, so that the server's check of its peers is all there is.
std::string abstract_name(world& w) {
  return "unix-abstract:" + w.directory() + "/" + w.fresh_name();
}

}  // namespace

CONFORMANCE_CASE("a client of another user is refused by default", needs(capability::impersonation)) {
  for (const std::string& name : {w.fresh_name(), abstract_name(w)}) {
    receive_visitors(w, name, {}, {{user::alice, false}, {user::bob, false}, {user::own, true}});
  }
  w.run();
}

CONFORMANCE_CASE("a group's policy admits its members only", needs(capability::impersonation)) {
  receive_visitors(w, w.fresh_name(), access_policy::group(w.shared_group()),
                   {{user::bob, false}, {user::alice, true}, {user::bob, false}, {user::own, true}});
  w.run();
}

CONFORMANCE_CASE("a list of users admits those users only", needs(capability::impersonation)) {
  receive_visitors(w, w.fresh_name(), access_policy::users({w.uid(user::bob)}),
                   {{user::alice, false}, {user::bob, true}, {user::own, true}});
  w.run();
}

CONFORMANCE_CASE("everyone of this machine is admitted if the policy says so",
                 needs(capability::impersonation)) {
  receive_visitors(w, w.fresh_name(), access_policy::everyone_local(),
                   {{user::alice, true}, {user::bob, true}, {user::own, true}});
  w.run();
}

CONFORMANCE_CASE("both ends of an abstract name check who the other is", needs(capability::impersonation)) {
  const std::string name = abstract_name(w);
  flag bound(w), refused(w);
  w.party(w.process(user::alice), "server of alice", [&](party& p) -> task<void> {
    auto [served, door] = p.serve(bound, name);
    connection c = co_await p.accept(door);
    co_await p.hear(c, "trusting");
    EXPECT(p, served.statistics().refused == 1);
  });
  w.party(w.process(user::bob), "client whom the server keeps out", [&](party& p) -> task<void> {
    co_await p.wait(bound);
    const connect_options trusting{.expected_server = server_trust::anyone};
    p.refusal(co_await p.try_connect(name, trusting), errc::access_denied);
    refused.set();
  });
  w.party("client that keeps away from the server", [&](party& p) -> task<void> {
    co_await p.wait(refused);
    p.refusal(co_await p.try_connect(name), errc::untrusted_server);
    connection c = co_await p.connect(name, {.expected_server = server_trust::anyone});
    co_await p.send(c, "trusting");
  });
  w.run();
}

CONFORMANCE_CASE("a client refuses a server of another user before its first byte",
                 needs(capability::impersonation)) {
  const std::string name = w.fresh_name();
  flag bound(w);
  w.party(w.process(user::alice), "raw server of alice", [&](party& p) -> task<void> {
    endpoint_options options;
    options.profile = profile::raw;
    options.access = access_policy::everyone_local();
    auto [served, door] = p.serve(bound, name, options);
    for (int i = 0; i < 3; ++i) {
      connection c = co_await p.accept(door);
      EXPECT(p, (co_await receive_rest(p, c)).empty());
    }
  });
  w.party("client", [&](party& p) -> task<void> {
    co_await p.wait(bound);
    connect_options options;
    options.runtime_directory = w.directory(user::alice);
    constexpr std::array wishes{server_trust::own_user_or_superuser, server_trust::own_user,
                                server_trust::superuser};
    for (const server_trust wanted : wishes) {
      options.expected_server = wanted;
      p.refusal(co_await p.try_connect(name, options), errc::untrusted_server);
    }
  });
  w.run();
}

CONFORMANCE_CASE("a client can be told to trust any server", needs(capability::impersonation)) {
  const std::string name = w.fresh_name();
  flag bound(w);
  w.party(w.process(user::alice), "server of alice", [&](party& p) -> task<void> {
    auto [served, door] = p.serve(bound, name);
    connection c = co_await p.accept(door);
    EXPECT(p, c.peer().uid.value == w.uid(user::own));
    co_await p.hear(c, "trusting");
  });
  w.party("client", [&](party& p) -> task<void> {
    co_await p.wait(bound);
    connect_options options;
    options.runtime_directory = w.directory(user::alice);
    options.expected_server = server_trust::anyone;
    connection c = co_await p.connect(name, options);
    EXPECT(p, c.peer().uid.value == w.uid(user::alice));
    co_await p.send(c, "trusting");
  });
  w.run();
}

CONFORMANCE_CASE("a stranger's socket where a stranger could have put it is an untrusted location",
                 needs(capability::impersonation)) {
  const std::string name = "unix:" + w.deep_directory(user::alice) + "/socket";  // all of it is alice's
  flag bound(w), refused(w);
  w.party(w.process(user::alice), "server of alice", [&](party& p) -> task<void> {
    endpoint_options options;
    options.access = access_policy::everyone_local();
    const endpoint served = p.bind(name, options);
    const listener door = p.listen(served);
    bound.set();
    co_await p.wait(refused);
    EXPECT(p, served.statistics().refused == 0);
  });
  w.party("client", [&](party& p) -> task<void> {
    co_await p.wait(bound);
    p.refusal(co_await p.try_connect(name), errc::untrusted_location);
    refused.set();
  });
  w.run();
}

CONFORMANCE_CASE("a client that trusts any server finds one in any place", needs(capability::impersonation)) {
  const std::string name = "unix:" + w.deep_directory(user::alice) + "/socket";  // all of it is alice's
  flag bound(w);
  w.party(w.process(user::alice), "server of alice", [&](party& p) -> task<void> {
    endpoint_options options;
    options.access = access_policy::everyone_local();
    const endpoint served = p.bind(name, options);
    listener door = p.listen(served);
    bound.set();
    connection c = co_await p.accept(door);
    co_await p.hear(c, "trusting");
  });
  w.party("client", [&](party& p) -> task<void> {
    co_await p.wait(bound);
    connect_options options;
    options.expected_server = server_trust::anyone;
    connection c = co_await p.connect(name, options);
    co_await p.send(c, "trusting");
  });
  w.run();
}

}  // namespace tp::conformance
