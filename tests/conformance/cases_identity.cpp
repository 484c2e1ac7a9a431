// Identity: who the peer is, by the system's word.
#include "conformance/cases_support.hpp"

namespace tp::conformance {

CONFORMANCE_CASE("each side knows the other's user", needs()) {
  pair_options raw = bytes();
  raw.server.profile = raw.client.profile = profile::raw;
  for (const pair_options& how : {bytes(), messages(), raw}) {
    const auto side = [&](party& p, connection& c) -> task<void> {
      const identity& peer = c.peer();
      EXPECT(p, peer.same_user(p.self().self()));
      EXPECT(p, peer.uid.may_authorise() || peer.sid.may_authorise());
      if (peer.uid.known())
        EXPECT(p, peer.uid.value == w.uid(user::own) && peer.gid.value == w.gid(user::own));
      EXPECT(p, !peer.pid.may_authorise() && !peer.host.may_authorise());
      EXPECT(p, !peer.to_string().empty());
      co_await p.send(c, "seen");
      co_await p.hear(c, "seen");
    };
    w.pair(how, side, side);
  }
  w.run();
}

CONFORMANCE_CASE("an identity outlives its peer", needs()) {
  w.pair(
      bytes(),
      [](party& p, connection& c) -> task<void> {
        const std::string before = c.peer().to_string();
        const identity copy = c.peer();
        co_await p.send(c, "go");
        co_await p.receive_end(c);
        EXPECT(p, c.peer().to_string() == before);
        EXPECT(p, c.peer().same_user(copy) && copy.same_user(p.self().self()));
        c.abort();
        EXPECT(p, c.peer().to_string() == before);
      },
      [](party& p, connection& c) -> task<void> { co_await p.hear(c, "go"); });
  w.run();
}

CONFORMANCE_CASE("the server knows the groups of its client", needs(capability::impersonation)) {
  for (const user who : {user::alice, user::bob}) {
    pair_options how = bytes();
    how.server.access = access_policy::everyone_local();
    how.client_user = who;
    w.pair(
        how,
        [&, who](party& p, connection& c) -> task<void> {
          const identity& peer = c.peer();
          EXPECT(p, peer.uid.may_authorise() && peer.uid.value == w.uid(who));
          EXPECT(p, peer.gid.may_authorise() && peer.gid.value == w.gid(who));
          EXPECT(p, peer.groups.may_authorise());
          EXPECT(p, peer.in_group(w.gid(who)));
          EXPECT(p, peer.in_group(w.shared_group()) == (who == user::alice));
          EXPECT(p, !peer.same_user(p.self().self()) && !peer.is_superuser());
          co_await p.send(c, "known");
        },
        [&](party& p, connection& c) -> task<void> {
          EXPECT(p, c.peer().uid.value == w.uid(user::own));
          co_await p.hear(c, "known");
        });
  }
  w.run();
}

}  // namespace tp::conformance
