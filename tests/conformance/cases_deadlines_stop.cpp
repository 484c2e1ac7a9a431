// Stopping: connects, receives and sends that are taken back, early, on their way, and late.
#include <deque>
#include <vector>

#include "conformance/cases_support.hpp"

namespace tp::conformance {

CONFORMANCE_CASE("a stopped receive loses no byte", needs()) {
  const int rounds = w.under_faults() ? 5 : 20;
  std::deque<flag> flags;
  for (const pair_options& how : all_modes()) {
    std::vector<flag*> go;
    for (int i = 0; i < rounds; ++i) go.push_back(&flags.emplace_back(w));
    w.pair(
        how,
        [&, go](party& p, connection& c) -> task<void> {
          for (flag* each : go) {
            stopper stop(p);
            const auto receives = [](party& who, connection& from, std::stop_token token) -> task<void> {
              buffer b;
              const auto got = co_await from.receive(b).within(who.patience()).unless(std::move(token));
              if (got) co_await who.hear_on(from, std::string(b.text()), "data");
              if (!got) who.refusal(got, errc::cancelled);
              if (!got) co_await who.hear(from, "data");
            };
            const auto stops = [](party& who, stopper& what, flag& now) -> task<void> {
              now.set();
              co_await who.sleep(0ms);
              what.request_stop();
            };
            co_await p.beside(receives(p, c, stop.token()), stops(p, stop, *each));
          }
        },
        [&, go](party& p, connection& c) -> task<void> {
          for (flag* each : go) {
            co_await p.wait(*each);
            co_await p.send(c, "data");
          }
        });
  }
  w.run();
}

CONFORMANCE_CASE("a stop that comes after the bytes does not take them back", needs()) {
  constexpr std::size_t rounds = 20;
  std::deque<flag> asked, sent;
  for (std::size_t i = 0; i < rounds; ++i) asked.emplace_back(w), sent.emplace_back(w);
  w.pair(
      bytes(),
      [&](party& p, connection& c) -> task<void> {
        for (std::size_t i = 0; i < rounds; ++i) {
          stopper stop(p);
          const auto receives = [](party& who, connection& from, flag& now, stopper& by) -> task<void> {
            std::string into(4, '\0');
            auto pending = from.receive(std::as_writable_bytes(std::span(into)))
                               .within(who.patience())
                               .unless(by.token());
            now.set();
            const received got = who.value(co_await std::move(pending));
            co_await who.hear_on(from, into.substr(0, got.bytes), "data");
          };
          const auto stops = [](party& who, flag& arrived, stopper& what) -> task<void> {
            co_await who.wait(arrived);
            what.request_stop();
          };
          co_await p.beside(receives(p, c, asked[i], stop), stops(p, sent[i], stop));
        }
      },
      [&](party& p, connection& c) -> task<void> {
        for (std::size_t i = 0; i < rounds; ++i) {
          co_await p.wait(asked[i]);
          co_await p.send(c, "data");
          sent[i].set();
        }
      });
  w.run();
}

CONFORMANCE_CASE("a connect is stopped by its token", needs()) {
  const std::string name = w.fresh_name();
  flag bound(w), over(w);
  w.party("server", [&](party& p) -> task<void> {
    const endpoint served = p.bind(name);
    bound.set();
    co_await p.wait(over);
  });
  w.party("client", [&](party& p) -> task<void> {
    co_await p.wait(bound);
    const auto connects = [](party& who, std::string where, std::stop_token token) -> task<void> {
      connect_options options;
      options.wait_for_server = true;
      const auto got = co_await who.attempt(where, options).within(who.patience()).unless(std::move(token));
      EXPECT(who, who.refusal(got, errc::cancelled).what_failed() == operation::connect);
    };
    stopper held(p), absent(p);
    co_await p.beside(connects(p, name, held.token()), stop_soon(p, held));
    co_await p.beside(connects(p, "no-such-name", absent.token()), stop_soon(p, absent));
    over.set();
  });
  w.run();
}

CONFORMANCE_CASE("a send stopped in the queue sends nothing", needs()) {
  const std::string large = pattern(more_than_fits(w));
  std::deque<flag> flags;
  for (const pair_options& how : all_modes()) {
    flag& stopped = flags.emplace_back(w);
    w.pair(
        how,
        [&](party& p, connection& c) -> task<void> {
          const auto first = [](party& who, connection& to, const std::string& text) -> task<void> {
            co_await who.send(to, text);
          };
          const auto second = [](party& who, connection& to, flag& done) -> task<void> {
            stopper stop(who);
            const auto sends = [](party& p2, connection& c2, std::stop_token token) -> task<void> {
              p2.refusal(co_await c2.send("never").within(p2.patience()).unless(std::move(token)),
                         errc::cancelled);
            };
            co_await who.beside(sends(who, to, stop.token()), stop_soon(who, stop));
            done.set();
          };
          co_await p.beside(first(p, c, large), second(p, c, stopped));
          co_await p.send(c, "tail");
        },
        [&](party& p, connection& c) -> task<void> {
          co_await p.wait(stopped);
          EXPECT(p, co_await receive_rest(p, c) == large + "tail");
        });
  }
  w.run();
}

CONFORMANCE_CASE("a stopped receive hands over the part it holds", needs()) {
  const std::string name = w.fresh_name();
  flag bound(w), part_sent(w), taken(w);
  w.party("server", [&](party& p) -> task<void> {
    endpoint_options options;
    options.mode = transmission::message;
    auto [served, door] = p.serve(bound, name, options);
    connection c = co_await p.accept(door);
    co_await p.wait(part_sent);
    stopper stop(p);
    const auto receives = [](party& who, connection& from, std::stop_token token) -> task<void> {
      std::string into(10, '\0');
      const auto span = std::as_writable_bytes(std::span(into));
      const auto got = who.value(co_await from.receive(span).within(who.patience()).unless(std::move(token)));
      EXPECT(who, got.bytes == 4 && !got.complete && !got.end && into.starts_with("0123"));
    };
    co_await p.beside(receives(p, c, stop.token()), stop_soon(p, stop));
    taken.set();
    const piece rest = co_await receive_span(p, c, 10);
    EXPECT(p, rest.text == "456789" && rest.complete);
  });
  w.party("client", [&](party& p) -> task<void> {
    co_await p.wait(bound);
    connection c = co_await crafted_client(p, name);
    const std::string frame = frame_header(10, data_frame) + "0123";
    co_await p.send(c, frame);
    part_sent.set();
    co_await p.wait(taken);
    co_await p.send(c, "456789");
  });
  w.run();
}

CONFORMANCE_CASE("a stopped receive into a buffer is continued by the next", needs()) {
  const std::string name = w.fresh_name();
  flag bound(w), part_sent(w), stopped(w);
  w.party("server", [&](party& p) -> task<void> {
    endpoint_options options;
    options.mode = transmission::message;
    auto [served, door] = p.serve(bound, name, options);
    connection c = co_await p.accept(door);
    co_await p.wait(part_sent);
    for (int i = 0; i < 2; ++i) {
      stopper stop(p);
      const auto receives = [](party& who, connection& from, std::stop_token token) -> task<void> {
        buffer b;
        const auto got = co_await from.receive(b).within(who.patience()).unless(std::move(token));
        who.refusal(got, errc::cancelled);
      };
      co_await p.beside(receives(p, c, stop.token()), stop_soon(p, stop));
    }
    stopped.set();
    co_await p.hear(c, "0123456789");
    co_await p.hear(c, "next");
  });
  w.party("client", [&](party& p) -> task<void> {
    co_await p.wait(bound);
    connection c = co_await crafted_client(p, name);
    const std::string part = frame_header(6, data_frame, more) + "012345" + frame_header(4, data_frame) + "6";
    co_await p.send(c, part);
    part_sent.set();
    co_await p.wait(stopped);
    const std::string rest = "789" + frame_header(4, data_frame) + "next";
    co_await p.send(c, rest);
  });
  w.run();
}

CONFORMANCE_CASE("a late stop does not touch the next operation", needs()) {
  const std::size_t rounds = w.under_faults() ? 5 : 50;
  std::deque<flag> flags;
  for (const pair_options& how : all_modes()) {
    const auto stops = std::make_shared<std::vector<std::stop_source>>(rounds);
    w.pair(
        how,
        [stops](party& p, connection& c) -> task<void> {
          for (std::stop_source& each : *stops) {
            buffer b;
            const auto got = co_await c.receive(b).within(p.patience()).unless(each.get_token());
            if (got) co_await p.hear_on(c, std::string(b.text()), "first");
            if (!got) p.refusal(got, errc::cancelled);
            if (!got) co_await p.hear(c, "first");
            co_await p.send(c, "go on");
            EXPECT(p, co_await p.receive_bytes(c, 6) == "second");
          }
        },
        [stops](party& p, connection& c) -> task<void> {
          for (std::stop_source& each : *stops) {
            co_await p.send(c, "first");
            each.request_stop();  // from another process's thread, while the first is on its way
            co_await p.hear(c, "go on");
            co_await p.send(c, "second");
          }
        });
  }
  w.run();
}

}  // namespace tp::conformance
