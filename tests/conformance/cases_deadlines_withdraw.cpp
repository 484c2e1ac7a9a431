// Sends that are stopped when part of them has gone, and connections destroyed under their operations.
#include <deque>
#include <memory>
#include <optional>

#include "conformance/cases_support.hpp"

namespace tp::conformance {

namespace {

task<void> parts_until_aborted(party& p, connection& c) {
  std::string into(100'000, '\0');
  for (;;) {
    const auto got = co_await p.bounded(c.receive(std::as_writable_bytes(std::span(into))));
    if (!got) {
      p.refusal(got, errc::message_aborted);
      co_return;
    }
    EXPECT(p, got->bytes > 0 && !got->complete && !got->end);
  }
}

/// A connection that is destroyed under its operations. `inside`: its destructor is running.
struct doomed {
  std::optional<connection> c;
  bool inside = false;
};

task<void> receive_until_destroyed(party& p, doomed& from) {
  buffer b;
  p.refusal(co_await p.bounded(from.c->receive(b)), errc::closed);
  EXPECT(p, !from.inside && !from.c);
}

task<void> send_until_destroyed(party& p, doomed& to, const std::string& text) {
  p.refusal(co_await p.bounded(to.c->send(text)), errc::closed);
  EXPECT(p, !to.inside && !to.c);
}

task<void> destroy_soon(party& p, doomed& what) {
  co_await p.sleep(10ms);
  what.inside = true;
  what.c.reset();
  what.inside = false;
}

}  // namespace

CONFORMANCE_CASE("a stopped send of bytes says how many were sent", needs(capability::exact_write)) {
  const std::string large = pattern(more_than_fits(w));
  std::deque<flag> flags;
  for (const pair_options& how : {bytes(), framed_bytes()}) {
    flag& read_now = flags.emplace_back(w);
    auto counted = std::make_shared<std::size_t>(0);
    flag& ended = flags.emplace_back(w);
    w.pair(
        how,
        [&, counted](party& p, connection& c) -> task<void> {
          stopper stop(p);
          const auto sends = [](party& who, connection& to, const std::string& text, std::stop_token token,
                                std::size_t& count) -> task<void> {
            const auto sent = co_await to.send(text).within(who.patience()).unless(std::move(token));
            count = who.value<std::size_t>(sent);
            EXPECT(who, count > 0 && count < text.size());
          };
          const auto stops = [](party& who, stopper& what, flag& go) -> task<void> {
            co_await stop_soon(who, what);
            go.set();
          };
          co_await p.beside(sends(p, c, large, stop.token(), *counted), stops(p, stop, read_now));
          co_await p.send(c, "tail");
          ended.set();
        },
        [&, counted](party& p, connection& c) -> task<void> {
          co_await p.wait(read_now);
          const std::string all = co_await receive_rest(p, c);
          co_await p.wait(ended);
          EXPECT(p, all == large.substr(0, *counted) + "tail");
        });
  }
  w.run();
}

CONFORMANCE_CASE("a message stopped on its way reaches the peer as message_aborted",
                 needs(capability::exact_write)) {
  const std::string large = pattern(more_than_fits(w));
  std::deque<flag> flags;
  for (const bool into_buffer : {true, false}) {
    flag& read_now = flags.emplace_back(w);
    w.pair(
        messages(),
        [&](party& p, connection& c) -> task<void> {
          co_await p.send(c, "before");
          stopper stop(p);
          const auto sends = [](party& who, connection& to, const std::string& text,
                                std::stop_token token) -> task<void> {
            const auto sent = co_await to.send(text).within(who.patience()).unless(std::move(token));
            who.refusal(sent, errc::cancelled);
          };
          const auto stops = [](party& who, stopper& what, flag& go) -> task<void> {
            co_await stop_soon(who, what);
            go.set();
          };
          co_await p.beside(sends(p, c, large, stop.token()), stops(p, stop, read_now));
          co_await p.send(c, "after");
        },
        [&, into_buffer](party& p, connection& c) -> task<void> {
          co_await p.wait(read_now);
          co_await p.hear(c, "before");
          buffer b;
          if (into_buffer) p.refusal(co_await p.bounded(c.receive(b)), errc::message_aborted);
          if (!into_buffer) co_await parts_until_aborted(p, c);
          co_await p.hear(c, "after");
        });
  }
  w.run();
}

CONFORMANCE_CASE("a message that cannot be withdrawn in time ends the connection",
                 needs(capability::exact_write)) {
  const std::string large = pattern(more_than_fits(w));
  flag over(w);
  w.pair(
      messages(),
      [&](party& p, connection& c) -> task<void> {
        const auto sent = co_await c.send(large).within(20ms).unless(p.stop());
        const auto says_why = [&](const error& e) {
          EXPECT(p, e.message().find("stopped in the middle") != std::string::npos);
        };
        says_why(p.refusal(sent, errc::closed));
        says_why(p.refusal(co_await p.bounded(c.send("more")), errc::closed));
        buffer b;
        says_why(p.refusal(co_await p.bounded(c.receive(b)), errc::closed));
        over.set();
      },
      [&](party& p, connection& c) -> task<void> {
        co_await p.wait(over);
        buffer b;
        p.refusal(co_await p.bounded(c.receive(b)), errc::connection_lost);
      });
  w.run();
}

CONFORMANCE_CASE("destroying a connection ends its operations", needs()) {
  const std::string large = pattern(more_than_fits(w));
  std::deque<flag> flags;
  for (const pair_options& how : all_modes()) {
    flag& over = flags.emplace_back(w);
    w.pair(
        how,
        [&](party& p, connection& c) -> task<void> {
          doomed mine{std::move(c)};
          const auto both = [&](party& who) -> task<void> {
            co_await who.beside(receive_until_destroyed(who, mine), send_until_destroyed(who, mine, large));
          };
          co_await p.beside(both(p), destroy_soon(p, mine));
          over.set();
        },
        [&](party& p, connection&) -> task<void> { co_await p.wait(over); });
  }
  w.run();
}

}  // namespace tp::conformance
