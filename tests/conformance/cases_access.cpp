// Access: who is let in, and which server a client puts up with.
#include <array>
#include <deque>
#include <vector>

#include "conformance/cases_support.hpp"

namespace tp::conformance {

namespace {

struct visitor {
  user who;
  bool welcome;
};

/// An endpoint with that policy, and visitors one after the other; the last must be welcome.
void receive_visitors(world& w, const access_policy& policy, const std::vector<visitor>& visitors) {
  const std::string name = w.fresh_name();
  std::deque<flag> flags;
  flags.emplace_back(w);
  w.party("server", [&](party& p) -> task<void> {
    endpoint_options options;
    options.access = policy;
    const endpoint served = p.bind(name, options);
    listener door = p.listen(served);
    flags.front().set();
    for (const visitor& each : visitors) {
      if (!each.welcome) continue;
      connection c = co_await p.accept(door);
      EXPECT(p, c.peer().uid.value == w.uid(each.who));
      EXPECT(p, co_await p.receive(c) == "hello");
    }
  });
  for (const visitor& each : visitors) {
    flag &mine = flags.back(), &next = flags.emplace_back(w);
    w.party(w.process(each.who), "visitor", [&, each](party& p) -> task<void> {
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
  w.run();
}

}  // namespace

CONFORMANCE_CASE("a client of another user is refused by default", needs(capability::impersonation)) {
  receive_visitors(w, {}, {{user::alice, false}, {user::bob, false}, {user::own, true}});
}

CONFORMANCE_CASE("a group's policy admits its members only", needs(capability::impersonation)) {
  receive_visitors(w, access_policy::group(w.shared_group()),
                   {{user::bob, false}, {user::alice, true}, {user::bob, false}, {user::own, true}});
}

CONFORMANCE_CASE("a list of users admits those users only", needs(capability::impersonation)) {
  receive_visitors(w, access_policy::users({w.uid(user::bob)}),
                   {{user::alice, false}, {user::bob, true}, {user::own, true}});
}

CONFORMANCE_CASE("everyone of this machine is admitted if the policy says so",
                 needs(capability::impersonation)) {
  receive_visitors(w, access_policy::everyone_local(),
                   {{user::alice, true}, {user::bob, true}, {user::own, true}});
}

CONFORMANCE_CASE("a client refuses a server of another user before its first byte",
                 needs(capability::impersonation)) {
  const std::string name = w.fresh_name();
  flag bound(w);
  w.party(w.process(user::alice), "raw server of alice", [&](party& p) -> task<void> {
    endpoint_options options;
    options.profile = profile::raw;
    options.access = access_policy::everyone_local();
    const endpoint served = p.bind(name, options);
    listener door = p.listen(served);
    bound.set();
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
    const endpoint served = p.bind(name);
    listener door = p.listen(served);
    bound.set();
    connection c = co_await p.accept(door);
    EXPECT(p, c.peer().uid.value == w.uid(user::own));
    EXPECT(p, co_await p.receive(c) == "trusting");
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
    EXPECT(p, co_await p.receive(c) == "trusting");
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
