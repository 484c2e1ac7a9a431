// The end of a connection: half-close, abrupt close, disconnect, and what the peer still gets.
#include <deque>
#include <memory>

#include "conformance/cases_support.hpp"

namespace tp::conformance {

CONFORMANCE_CASE("half-close ends one direction and leaves the other", needs()) {
  for (const pair_options& how : all_modes()) {
    w.pair(
        how,
        [](party& p, connection& c) -> task<void> {
          EXPECT(p, co_await receive_rest(p, c) == "the request");
          co_await p.send(c, "the ");
          co_await p.send(c, "reply");
        },
        [](party& p, connection& c) -> task<void> {
          co_await p.send(c, "the request");
          p.value(co_await p.bounded(c.shutdown()));
          p.refusal(co_await p.bounded(c.send("more")), errc::closed);
          EXPECT(p, co_await receive_rest(p, c) == "the reply");
          p.refusal(co_await p.bounded(c.send("more")), errc::closed);
        });
  }
  w.run();
}

CONFORMANCE_CASE("what was sent before an abrupt close stays readable", needs()) {
  const std::string data = pattern(30'000);
  std::deque<flag> flags;
  for (const pair_options& how : all_modes()) {
    flag& gone = flags.emplace_back(w);
    const auto leaves = [&](party& p, connection& c) -> task<void> {
      connection mine = std::move(c);
      co_await p.send(mine, data);
      co_await p.send(mine, "the last words");
      {
        const connection destroyed = std::move(mine);
      }
      gone.set();
    };
    const auto stays = [&](party& p, connection& c) -> task<void> {
      co_await p.wait(gone);
      EXPECT(p, co_await receive_rest(p, c) == data + "the last words");
    };
    w.pair(how, leaves, stays);
  }
  w.run();
}

CONFORMANCE_CASE("assigning to a connection closes the one it was", needs()) {
  for (const pair_options& how : all_modes()) {
    const std::string name = w.fresh_name();
    auto bound = std::make_shared<flag>(w);
    w.party("server", [=](party& p) -> task<void> {
      endpoint_options options = how.server;
      options.max_instances = 2;
      const endpoint served = p.bind(name, options);
      listener door = p.listen(served);
      bound->set();
      connection current = co_await p.accept(door);
      connection next = co_await p.accept(door);
      current = std::move(next);
      EXPECT(p, served.statistics().instances == 1);
      co_await p.send(current, "you are the one");
      p.value(co_await p.bounded(current.close()));
    });
    w.party("clients", [=](party& p) -> task<void> {
      co_await p.wait(*bound);
      connection first = co_await p.connect(name, how.client);
      connection second = co_await p.connect(name, how.client);
      static_cast<void>(co_await p.receive_end(first));
      co_await p.hear(second, "you are the one");
    });
  }
  w.run();
}

CONFORMANCE_CASE("disconnecting frees the instance", needs()) {
  const std::string name = w.fresh_name();
  flag bound(w), first_in(w);
  w.party("server", [&](party& p) -> task<void> {
    endpoint_options options;
    options.max_instances = 1;
    auto [served, door] = p.serve(bound, name, options);
    connection first = co_await p.accept(door);
    first_in.set();
    co_await p.send(first, "before");
    const auto early = co_await door.accept().within(20ms).unless(p.stop());
    p.refusal(early, errc::timed_out);
    first.disconnect();
    EXPECT(p, served.statistics().instances == 0);
    connection second = co_await p.accept(door);
    co_await p.hear(second, "my turn");
    p.refusal(co_await p.bounded(first.send("after")), errc::closed);
  });
  w.party("first client", [&](party& p) -> task<void> {
    co_await p.wait(bound);
    connection c = co_await p.connect(name);
    EXPECT(p, co_await receive_rest(p, c) == "before");
  });
  w.party("second client", [&](party& p) -> task<void> {
    co_await p.wait(first_in);
    connection c = co_await p.connect(name);
    co_await p.send(c, "my turn");
  });
  w.run();
}

CONFORMANCE_CASE("a peer that closed without reading shows at the end", needs(capability::drain)) {
  flag sent(w), gone(w);
  w.pair(
      bytes(),
      [&](party& p, connection& c) -> task<void> {
        co_await p.send(c, "never read");
        sent.set();
        co_await p.wait(gone);
        co_await p.hear(c, "goodbye");
        for (int i = 0; i < 2; ++i) EXPECT(p, (co_await p.receive_end(c)).discarded);
        p.refusal(co_await p.bounded(c.drain()), errc::discarded);
        EXPECT(p, p.value(co_await p.bounded(c.close())) == delivery::discarded);
      },
      [&](party& p, connection& c) -> task<void> {
        co_await p.wait(sent);
        co_await p.send(c, "goodbye");
        c.abort();
        gone.set();
      });
  w.run();
}

CONFORMANCE_CASE("after close or abort every operation of a connection is closed", needs()) {
  for (const pair_options& how : all_modes()) {
    for (const bool abrupt : {true, false}) {
      w.pair(
          how,
          [abrupt](party& p, connection& c) -> task<void> {
            if (abrupt) c.abort();
            if (!abrupt) static_cast<void>(p.value(co_await p.bounded(c.close())));
            buffer b;
            p.refusal(co_await p.bounded(c.receive(b)), errc::closed);
            p.refusal(co_await p.bounded(c.send("late")), errc::closed);
            p.refusal(co_await p.bounded(c.shutdown()), errc::closed);
            p.refusal(co_await p.bounded(c.drain()), errc::closed);
            p.refusal(co_await p.bounded(c.close()), errc::closed);
            c.abort();
          },
          [](party& p, connection& c) -> task<void> { EXPECT(p, (co_await receive_rest(p, c)).empty()); });
    }
  }
  w.run();
}

}  // namespace tp::conformance
