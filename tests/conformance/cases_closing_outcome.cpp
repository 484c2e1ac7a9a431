// Drain and close: what a side can learn of what became of its bytes.
#include <atomic>
#include <deque>
#include <memory>

#include "conformance/cases_support.hpp"

namespace tp::conformance {

namespace {

/// The modes in which this twin can tell.
std::vector<pair_options> modes_that_drain(const world& w) {
  std::vector<pair_options> made{framed_bytes(), messages()};
  if (w.features().drain) made.push_back(bytes());
  return made;
}

}  // namespace

CONFORMANCE_CASE("drain succeeds once the peer has consumed everything", needs()) {
  std::deque<flag> flags;
  for (const pair_options& how : modes_that_drain(w)) {
    flag &sent = flags.emplace_back(w), &drained = flags.emplace_back(w);
    auto reading = std::make_shared<std::atomic<bool>>(false);
    w.pair(
        how,
        [&, reading](party& p, connection& c) -> task<void> {
          p.value(co_await p.bounded(c.drain()));  // nothing was sent yet
          co_await p.send(c, "first");
          co_await p.send(c, "second");
          sent.set();
          p.value(co_await p.bounded(c.drain()));
          EXPECT(p, *reading);
          drained.set();
        },
        [&, reading](party& p, connection& c) -> task<void> {
          co_await p.wait(sent);
          co_await p.sleep(20ms);
          *reading = true;
          std::string all;
          while (all.size() < 11) all += co_await p.receive(c);
          EXPECT(p, all == "firstsecond");
          if (calls_block) co_await p.receive_end(c);  // it confirms from its next call
          if (!calls_block) co_await p.wait(drained);
        });
  }
  w.run();
}

CONFORMANCE_CASE("drain of what nobody reads is timed_out", needs()) {
  const std::string large = pattern(more_than_fits(w));
  std::deque<flag> flags;
  for (const pair_options& how : modes_that_drain(w)) {
    flag& waited = flags.emplace_back(w);
    w.pair(
        how,
        [&](party& p, connection& c) -> task<void> {
          co_await p.send(c, "before ");
          p.refusal(co_await c.drain().within(10ms).unless(p.stop()), errc::timed_out);
          const auto sends = [](party& who, connection& to, const std::string& text) -> task<void> {
            co_await who.send(to, text);
          };
          const auto drains = [](party& who, connection& what, flag& done) -> task<void> {
            for (int i = 0; i < 3; ++i) {
              who.refusal(co_await what.drain().within(5ms).unless(who.stop()), errc::timed_out);
            }
            done.set();
          };
          co_await p.beside(sends(p, c, large), drains(p, c, waited));
          p.value(co_await p.bounded(c.drain()));
          co_await p.send(c, " after");
        },
        [&](party& p, connection& c) -> task<void> {
          co_await p.wait(waited);
          EXPECT(p, co_await receive_rest(p, c) == "before " + large + " after");
        });
  }
  w.run();
}

CONFORMANCE_CASE("drain tells that the peer discarded bytes", needs()) {
  std::deque<flag> flags;
  for (const pair_options& how : modes_that_drain(w)) {
    for (const bool left_before : {false, true}) {
      flag &sent = flags.emplace_back(w), &gone = flags.emplace_back(w);
      w.pair(
          how,
          [&, left_before](party& p, connection& c) -> task<void> {
            co_await p.send(c, "never read");
            sent.set();
            if (left_before) co_await p.wait(gone);
            p.refusal(co_await p.bounded(c.drain()), errc::discarded);
          },
          [&](party& p, connection& c) -> task<void> {
            co_await p.wait(sent);
            co_await p.sleep(10ms);
            c.abort();
            gone.set();
          });
    }
  }
  w.run();
}

CONFORMANCE_CASE("a connection says what its drain guarantees", needs()) {
  const bool kernel = w.features().drain;
  pair_options raw = bytes();
  raw.server.profile = raw.client.profile = profile::raw;
  for (const pair_options& how : {bytes(), framed_bytes(), messages(), raw}) {
    const bool framed = how.server.framed || how.server.mode == transmission::message;
    const auto side = [framed, kernel](party& p, connection& c) -> task<void> {
      const auto unframed = kernel ? drain_guarantee::kernel : drain_guarantee::none;
      EXPECT(p, c.drain_guarantee() == (framed ? drain_guarantee::application : unframed));
      if (c.drain_guarantee() != drain_guarantee::none) co_return;
      p.refusal(co_await p.bounded(c.drain()), errc::not_supported);
    };
    w.pair(how, side, side);
  }
  w.run();
}

CONFORMANCE_CASE("close says whether the bytes were delivered or discarded", needs()) {
  std::deque<flag> flags;
  for (const pair_options& how : modes_that_drain(w)) {
    flag &sent = flags.emplace_back(w), &closed = flags.emplace_back(w);
    w.pair(
        how,
        [&](party& p, connection& c) -> task<void> {
          co_await p.send(c, "for you");
          EXPECT(p, p.value(co_await p.bounded(c.close())) == delivery::delivered);
          p.refusal(co_await p.bounded(c.send("more")), errc::closed);
          p.refusal(co_await p.bounded(c.close()), errc::closed);
          closed.set();
        },
        [&](party& p, connection& c) -> task<void> {
          EXPECT(p, co_await receive_rest(p, c) == "for you");
          co_await p.wait(closed);
        });
    w.pair(
        how,
        [&](party& p, connection& c) -> task<void> {
          co_await p.send(c, "for nobody");
          sent.set();
          EXPECT(p, p.value(co_await p.bounded(c.close())) == delivery::discarded);
        },
        [&](party& p, connection& c) -> task<void> {
          co_await p.wait(sent);
          co_await p.sleep(10ms);
          c.abort();
        });
  }
  w.run();
}

CONFORMANCE_CASE("a close with data unread tells the peer that it was discarded", needs()) {
  std::deque<flag> flags;
  for (const pair_options& how : modes_that_drain(w)) {
    for (const bool some_is_read : {false, true}) {
      flag &sent = flags.emplace_back(w), &closed = flags.emplace_back(w);
      w.pair(
          how,
          [&](party& p, connection& c) -> task<void> {
            co_await p.send(c, "for nobody");
            sent.set();
            co_await p.wait(closed);
            EXPECT(p, (co_await p.receive_end(c)).discarded);
            p.refusal(co_await p.bounded(c.drain()), errc::discarded);
            EXPECT(p, p.value(co_await p.bounded(c.close())) == delivery::discarded);
          },
          [&, some_is_read](party& p, connection& c) -> task<void> {
            co_await p.wait(sent);
            if (some_is_read) EXPECT(p, co_await p.receive_bytes(c, 3) == "for");
            p.value(co_await p.bounded(c.close()));
            closed.set();
          });
    }
  }
  w.run();
}

CONFORMANCE_CASE("who closes second after everything was received has delivered it", needs()) {
  std::deque<flag> flags;
  for (const pair_options& how : modes_that_drain(w)) {
    for (const bool asks : {false, true}) {
      flag& left = flags.emplace_back(w);
      w.pair(
          how,
          [&, asks](party& p, connection& c) -> task<void> {
            if (asks) co_await p.hear(c, "question");
            co_await p.send(c, "for you");
            EXPECT(p, p.value(co_await p.bounded(c.close())) == delivery::delivered);
            left.set();
          },
          [&, asks](party& p, connection& c) -> task<void> {
            if (asks) co_await p.send(c, "question");
            EXPECT(p, co_await receive_rest(p, c) == "for you");
            co_await p.wait(left);
            p.value(co_await p.bounded(c.drain()));
            EXPECT(p, p.value(co_await p.bounded(c.close())) == delivery::delivered);
          });
    }
  }
  w.run();
}

CONFORMANCE_CASE("two sides that close with each other's data unread both learn it", needs()) {
  std::deque<flag> flags;
  for (const pair_options& how : {framed_bytes(), messages()}) {
    for (const duration later : {0ms, 10ms}) {
      flag &one = flags.emplace_back(w), &other = flags.emplace_back(w);
      const auto side = [](flag& mine, flag& theirs, duration wait) {
        return [&mine, &theirs, wait](party& p, connection& c) -> task<void> {
          co_await p.send(c, "never received");
          mine.set();
          co_await p.wait(theirs);
          co_await p.sleep(wait);
          EXPECT(p, p.value(co_await p.bounded(c.close())) == delivery::discarded);
        };
      };
      w.pair(how, side(one, other, 0ms), side(other, one, later));
    }
  }
  w.run();
}

CONFORMANCE_CASE("unframed, a close that waits for a side that closes too ends at its deadline",
                 needs(capability::drain)) {
  flag one(w), other(w);
  w.pair(
      bytes(),
      [&](party& p, connection& c) -> task<void> {
        co_await p.send(c, "never received");
        one.set();
        co_await p.wait(other);
        const auto outcome = co_await c.close().within(20ms).unless(p.stop());
        EXPECT(p, p.value(outcome) == delivery::unknown);
      },
      [&](party& p, connection& c) -> task<void> {
        co_await p.send(c, "never received");
        other.set();
        co_await p.wait(one);
        EXPECT(p, p.value(co_await p.bounded(c.close())) == delivery::discarded);
      });
  w.run();
}

CONFORMANCE_CASE("who closes with a message unread still learns that its own was received", needs()) {
  std::deque<flag> flags;
  for (const pair_options& how : {framed_bytes(), messages()}) {
    flag &asked = flags.emplace_back(w), &sent = flags.emplace_back(w);
    w.pair(
        how,
        [&](party& p, connection& c) -> task<void> {
          co_await p.wait(asked);
          co_await p.send(c, "for you");
          sent.set();
          EXPECT(p, p.value(co_await p.bounded(c.close())) == delivery::delivered);
        },
        [&](party& p, connection& c) -> task<void> {
          co_await p.send(c, "never received");
          asked.set();
          co_await p.wait(sent);
          co_await p.hear(c, "for you");
          EXPECT(p, (co_await p.receive_end(c)).discarded);
          p.refusal(co_await p.bounded(c.drain()), errc::discarded);
          EXPECT(p, p.value(co_await p.bounded(c.close())) == delivery::discarded);
        });
  }
  w.run();
}

CONFORMANCE_CASE("close of what nobody reads is unknown at the deadline", needs()) {
  std::deque<flag> flags;
  const std::string large = pattern(more_than_fits(w));
  for (const pair_options& how : modes_that_drain(w)) {
    flag &closed = flags.emplace_back(w), &closed_too = flags.emplace_back(w);
    w.pair(
        how,
        [&](party& p, connection& c) -> task<void> {
          co_await p.send(c, "accepted");
          const auto outcome = co_await c.close().within(20ms).unless(p.stop());
          EXPECT(p, p.value(outcome) == delivery::unknown);
          closed.set();
        },
        [&](party& p, connection& c) -> task<void> {
          co_await p.wait(closed);
          co_await p.hear(c, "accepted");
        });
    w.pair(
        how,
        [&](party& p, connection& c) -> task<void> {
          const auto sending = [](party& who, connection& to, const std::string& text) -> task<void> {
            who.refusal(co_await who.bounded(to.send(text)), errc::closed);
          };
          const auto closing = [](party& who, connection& what) -> task<void> {
            const auto outcome = co_await what.close().within(20ms).unless(who.stop());
            EXPECT(who, who.value(outcome) == delivery::unknown);
          };
          co_await p.beside(sending(p, c, large), closing(p, c));
          closed_too.set();
        },
        [&](party& p, connection&) -> task<void> { co_await p.wait(closed_too); });
  }
  w.run();
}

}  // namespace tp::conformance
