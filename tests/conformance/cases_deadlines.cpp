// Deadlines: what they end, and what goes on afterwards.
#include <deque>

#include "conformance/cases_support.hpp"

namespace tp::conformance {

namespace {

/// What has come, by receives whose deadline has passed: one, or where a read may bring less than there is,
/// at most one for each byte of it and of its frame.
task<std::string> receive_late(party& p, connection& from, std::size_t count, time_point past) {
  constexpr std::size_t header = 9;
  std::string all;
  for (std::size_t left = p.in().short_io() ? header + count : 1; left > 0 && all.size() < count; --left) {
    buffer b;
    const auto got = co_await from.receive(b).until(past).unless(p.stop());
    if (!got && p.in().short_io()) {
      p.refusal(got, errc::timed_out);
    } else {
      EXPECT(p, p.value(got).bytes == b.size());
      all += b.text();
    }
  }
  co_return all;
}

}  // namespace

CONFORMANCE_CASE("a receive ends at its deadline and the connection goes on", needs()) {
  std::deque<flag> flags;
  for (const pair_options& how : all_modes()) {
    flag& waited = flags.emplace_back(w);
    w.pair(
        how,
        [&](party& p, connection& c) -> task<void> {
          buffer b;
          const time_point before = p.rt().now();
          const auto got = co_await c.receive(b).within(20ms).unless(p.stop());
          EXPECT(p, p.refusal(got, errc::timed_out).what_failed() == operation::receive);
          EXPECT(p, p.rt().now() - before >= 20ms);
          const auto again = co_await c.receive(b).until(p.rt().now() + 5ms).unless(p.stop());
          p.refusal(again, errc::timed_out);
          waited.set();
          co_await p.hear(c, "late");
          co_await p.send(c, "all the same");
        },
        [&](party& p, connection& c) -> task<void> {
          co_await p.wait(waited);
          co_await p.send(c, "late");
          EXPECT(p, co_await receive_rest(p, c) == "all the same");
        });
  }
  w.run();
}

CONFORMANCE_CASE("an accept ends at its deadline and the endpoint goes on", needs()) {
  const std::string name = w.fresh_name();
  flag waited(w);
  w.party("server", [&](party& p) -> task<void> {
    const endpoint served = p.bind(name);
    listener door = p.listen(served);
    for (int i = 0; i < 2; ++i) {
      const auto nobody = co_await door.accept().within(10ms).unless(p.stop());
      EXPECT(p, p.refusal(nobody, errc::timed_out).what_failed() == operation::accept);
    }
    waited.set();
    connection c = co_await p.accept(door);
    co_await p.hear(c, "here I am");
  });
  w.party("client", [&](party& p) -> task<void> {
    co_await p.wait(waited);
    connection c = co_await p.connect(name);
    co_await p.send(c, "here I am");
  });
  w.run();
}

CONFORMANCE_CASE("a send ends at its deadline while the peer does not read", needs()) {
  const std::string large = pattern(more_than_fits(w));
  std::deque<flag> flags;
  for (const pair_options& how : all_modes()) {
    flag& waited = flags.emplace_back(w);
    w.pair(
        how,
        [&](party& p, connection& c) -> task<void> {
          const auto too_late = [](party& who, connection& to, flag& done) -> task<void> {
            const auto sent = co_await to.send("too late").within(20ms).unless(who.stop());
            who.refusal(sent, errc::timed_out);
            done.set();
          };
          co_await p.beside(send_one(p, c, large), too_late(p, c, waited));
          co_await p.send(c, "and on");
        },
        [&](party& p, connection& c) -> task<void> {
          co_await p.wait(waited);
          EXPECT(p, co_await receive_rest(p, c) == large + "and on");
        });
  }
  w.run();
}

CONFORMANCE_CASE("an operation stopped before it starts does nothing", needs()) {
  std::deque<flag> flags;
  for (const pair_options& how : all_modes()) {
    flag& sent = flags.emplace_back(w);
    const std::string unused = w.fresh_name();
    w.pair(
        how,
        [&, unused](party& p, connection& c) -> task<void> {
          stopper stopped(p);
          stopped.request_stop();
          co_await p.wait(sent);
          buffer b;
          p.refusal(co_await c.receive(b).unless(stopped.token()), errc::cancelled);
          p.refusal(co_await c.send("not this").unless(stopped.token()), errc::cancelled);
          p.refusal(co_await c.drain().unless(stopped.token()), errc::cancelled);
          p.refusal(co_await c.shutdown().unless(stopped.token()), errc::cancelled);
          p.refusal(co_await p.rt().sleep(10s).unless(stopped.token()), errc::cancelled);
          p.refusal(co_await p.attempt("no-such-name").unless(stopped.token()), errc::cancelled);
          const endpoint served = p.bind(unused);
          listener door = p.listen(served);
          p.refusal(co_await door.accept().unless(stopped.token()), errc::cancelled);
          p.refusal(co_await c.close().unless(stopped.token()), errc::cancelled);
          const time_point past = p.rt().now() - 1ms;
          EXPECT(p, co_await receive_late(p, c, 5, past) == "ready");
          p.refusal(co_await c.receive(b).until(past).unless(p.stop()), errc::timed_out);
          co_await p.send(c, "but this");
        },
        [&](party& p, connection& c) -> task<void> {
          co_await p.send(c, "ready");
          sent.set();
          EXPECT(p, co_await receive_rest(p, c) == "but this");
        });
  }
  w.run();
}

CONFORMANCE_CASE("nothing is resumed inside the call that caused it", needs()) {
  flag over(w);
  const auto waits = [](party& p, connection& c, std::stop_token token, const bool& inside,
                        errc code) -> task<void> {
    buffer b;
    p.refusal(co_await c.receive(b).within(p.patience()).unless(std::move(token)), code);
    EXPECT(p, !inside);
  };
  w.pair(
      bytes(),
      [&](party& p, connection& c) -> task<void> {
        bool inside = false;
        stopper stop(p);
        const auto requests = [](party&, stopper& what, bool& in) -> task<void> {
          in = true;
          what.request_stop();
          in = false;
          co_return;
        };
        co_await p.beside(waits(p, c, stop.token(), inside, errc::cancelled), requests(p, stop, inside));
        const auto aborts = [](party&, connection& what, bool& in) -> task<void> {
          in = true;
          what.abort();
          in = false;
          co_return;
        };
        co_await p.beside(waits(p, c, p.stop(), inside, errc::closed), aborts(p, c, inside));
        const endpoint served = p.bind("nobody-comes");
        listener door = p.listen(served);
        const auto accepts = [](party& who, listener& at, const bool& in) -> task<void> {
          who.refusal(co_await who.bounded(at.accept()), errc::closed);
          EXPECT(who, !in);
        };
        const auto closes = [](party&, endpoint what, bool& in) -> task<void> {
          in = true;
          what.close();
          in = false;
          co_return;
        };
        co_await p.beside(accepts(p, door, inside), closes(p, served, inside));
        over.set();
      },
      [&](party& p, connection&) -> task<void> { co_await p.wait(over); });
  w.run();
}

}  // namespace tp::conformance
