// Sending: the queue and its limit, back-pressure, directions, peers that left.
#include <deque>

#include "conformance/cases_support.hpp"

namespace tp::conformance {

CONFORMANCE_CASE("many sends may be pending and arrive in order", needs()) {
  std::deque<std::string> texts;
  for (unsigned i = 0; i < 100; ++i)
    texts.push_back(pattern(i % 10 == 9 ? more_than_fits(w) / 10 : i * 30, i));
  flag pending(w);
  w.pair(
      messages(),
      [&](party& p, connection& c) -> task<void> {
        task_group sends;
        for (const std::string& each : texts) sends.start(send_one(p, c, each));
        const std::size_t waiting = sends.size();
        pending.set();
        p.value(co_await sends.join());
        EXPECT(p, waiting > 10);
      },
      [&](party& p, connection& c) -> task<void> {
        co_await p.wait(pending);
        for (const std::string& each : texts) co_await p.hear(c, each);
      });
  w.run();
}

CONFORMANCE_CASE("a send waits while the peer does not read", needs()) {
  const std::string large = pattern(more_than_fits(w));
  std::deque<flag> flags;
  for (const pair_options& how : all_modes()) {
    flag& read_now = flags.emplace_back(w);
    w.pair(
        how,
        [&](party& p, connection& c) -> task<void> {
          bool sent = false;
          const auto sending = [](party& who, connection& to, const std::string& text,
                                  bool& done) -> task<void> {
            co_await who.send(to, text);
            done = true;
          };
          const auto looking = [](party& who, flag& go, const bool& done) -> task<void> {
            co_await who.sleep(20ms);
            EXPECT(who, !done);
            go.set();
          };
          co_await p.beside(sending(p, c, large, sent), looking(p, read_now, sent));
          co_await p.send(c, "and more");
        },
        [&](party& p, connection& c) -> task<void> {
          co_await p.wait(read_now);
          EXPECT(p, co_await receive_rest(p, c) == large + "and more");
        });
  }
  w.run();
}

CONFORMANCE_CASE("a send beyond the queue's limit is refused", needs()) {
  const std::string large = pattern(more_than_fits(w));
  std::deque<flag> flags;
  for (pair_options how : all_modes()) {
    how.server.max_queued_bytes = 1000;
    flag& read_now = flags.emplace_back(w);
    w.pair(
        how,
        [&](party& p, connection& c) -> task<void> {
          const auto another = [](party& who, connection& to, flag& go) -> task<void> {
            who.refusal(co_await who.bounded(to.send("too much")), errc::queue_full);
            go.set();
          };
          co_await p.beside(send_one(p, c, large), another(p, c, read_now));
          co_await p.send(c, "tail");
        },
        [&](party& p, connection& c) -> task<void> {
          co_await p.wait(read_now);
          EXPECT(p, co_await receive_rest(p, c) == large + "tail");
        });
  }
  w.run();
}

CONFORMANCE_CASE("a second receive at a time is refused", needs()) {
  std::deque<flag> flags;
  for (const pair_options& how : all_modes()) {
    flag& refused = flags.emplace_back(w);
    w.pair(
        how,
        [&](party& p, connection& c) -> task<void> {
          const auto first = [](party& who, connection& from) -> task<void> {
            co_await who.hear(from, "hello");
          };
          const auto second = [](party& who, connection& from, flag& done) -> task<void> {
            buffer b;
            who.refusal(co_await who.bounded(from.receive(b)), errc::operation_in_progress);
            done.set();
          };
          co_await p.beside(first(p, c), second(p, c, refused));
        },
        [&](party& p, connection& c) -> task<void> {
          co_await p.wait(refused);
          co_await p.send(c, "hello");
        });
  }
  w.run();
}

CONFORMANCE_CASE("a connection with one direction carries data that way only", needs()) {
  for (pair_options how : all_modes()) {
    how.server.direction = direction::out;
    how.client.direction = direction::in;
    w.pair(
        how,
        [](party& p, connection& c) -> task<void> {
          buffer b;
          p.refusal(co_await p.bounded(c.receive(b)), errc::wrong_direction);
          co_await p.send(c, "this way");
        },
        [](party& p, connection& c) -> task<void> {
          p.refusal(co_await p.bounded(c.send("that way")), errc::wrong_direction);
          p.refusal(co_await p.bounded(c.shutdown()), errc::wrong_direction);
          EXPECT(p, co_await receive_rest(p, c) == "this way");
        });
  }
  w.run();
}

CONFORMANCE_CASE("sides whose directions do not fit are refused", needs()) {
  const std::string name = w.fresh_name();
  flag bound(w);
  w.party("server", [&](party& p) -> task<void> {
    endpoint_options options;
    options.direction = direction::in;
    auto [served, door] = p.serve(bound, name, options);
    connection c = co_await p.accept(door);
    co_await p.hear(c, "fits");
  });
  w.party("client", [&](party& p) -> task<void> {
    co_await p.wait(bound);
    connect_options options;
    p.refusal(co_await p.try_connect(name, options), errc::direction_mismatch);
    options.direction = direction::in;
    p.refusal(co_await p.try_connect(name, options), errc::direction_mismatch);
    options.direction = direction::out;
    connection c = co_await p.connect(name, options);
    co_await p.send(c, "fits");
  });
  w.run();
}

CONFORMANCE_CASE("sending to a peer that left is broken_pipe", needs()) {
  for (const pair_options& how : all_modes()) {
    w.pair(
        how,
        [](party& p, connection& c) -> task<void> {
          co_await p.receive_end(c);
          const error refused = p.refusal(co_await p.bounded(c.send("anybody there?")), errc::broken_pipe);
          EXPECT(p, refused.what_failed() == operation::send);
          p.refusal(co_await p.bounded(c.send("really?")), errc::broken_pipe);
        },
        [](party&, connection& c) -> task<void> {
          c.abort();
          co_return;
        });
  }
  w.run();
}

}  // namespace tp::conformance
