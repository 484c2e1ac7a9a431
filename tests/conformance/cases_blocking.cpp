// Blocking connections: what several threads do on one at the same time.
#include <array>
#include <atomic>
#include <concepts>
#include <deque>

#include "conformance/cases_blocking_support.hpp"

namespace tp::conformance {

namespace {

/// A peer that stays until the case is over, and reads nothing.
world::half idle_until(flag& over) {
  return [&over](party& p, connection&) -> task<void> { co_await p.wait(over); };
}

// A connection is of one kind for life.
static_assert(!std::constructible_from<blocking::connection, tp::connection>);
static_assert(!std::constructible_from<tp::connection, blocking::connection>);

}  // namespace

CONFORMANCE_CASE("blocking and asynchronous peers talk to each other in every mode",
                 needs(capability::blocking_streams)) {
  const auto blocks = [](party& p, blocking::connection& c) {
    send_now(p, c, "ping");
    EXPECT(p, receive_now(p, c, 4) == "pong");
    p.value(c.shutdown(patient(p)));
    EXPECT(p, receive_rest_now(p, c) == "last words");
    EXPECT(p, c.id() != 0 && c.peer().same_user(p.self().self()));
  };
  const auto awaits = [](party& p, connection& c) -> task<void> {
    EXPECT(p, co_await p.receive_bytes(c, 4) == "ping");
    co_await p.send(c, "pong");
    co_await p.receive_end(c);
    co_await p.send(c, "last words");
  };
  for (const pair_options& how : all_modes()) {
    const auto one = std::make_shared<meeting>(w, how), other = std::make_shared<meeting>(w, how);
    blocking_server(w, one, blocks);
    awaiting_client(w, one, awaits);
    awaiting_server(w, other, awaits);
    blocking_client(w, other, blocks);
  }
  w.run();
}

CONFORMANCE_CASE("one thread receives while another sends, with both directions full",
                 needs(capability::blocking_streams, capability::threads)) {
  const std::string there = pattern(more_than_fits(w), 1), back = pattern(more_than_fits(w), 2);
  const auto exchange = [](const std::string& out, const std::string& in) {
    return [&](party& p, blocking::connection& c) {
      std::atomic<bool> sending = false;
      run_threads(p, {[&] {
                        sending = true;
                        send_now(p, c, out);
                      },
                      [&] {
                        wait_until(p, [&] { return sending.load(); });
                        EXPECT(p, receive_now(p, c, in.size()) == in);
                      }});
    };
  };
  for (const pair_options& how : all_modes()) {
    const auto here = std::make_shared<meeting>(w, how);
    blocking_server(w, here, exchange(there, back));
    blocking_client(w, here, exchange(back, there));
  }
  w.run();
}

CONFORMANCE_CASE("a thread that receives is not held up by one that sends",
                 needs(capability::blocking_streams, capability::threads)) {
  const std::string large = pattern(more_than_fits(w));
  std::deque<flag> flags;
  for (const pair_options& how : {framed_bytes(), messages()}) {
    flag& both_came = flags.emplace_back(w);
    const auto here = std::make_shared<meeting>(w, how);
    blocking_server(w, here, [&](party& p, blocking::connection& c) {
      std::atomic<bool> sent = false;
      run_threads(p, {[&] {
                        send_now(p, c, large);
                        sent = true;
                      },
                      [&] {
                        EXPECT(p, receive_now(p, c, 13) == "questionagain");
                        EXPECT(p, !sent);
                        both_came.set();
                        EXPECT(p, receive_rest_now(p, c).empty());
                      }});
    });
    awaiting_client(w, here, [&](party& p, connection& c) -> task<void> {
      co_await p.sleep(10ms);
      co_await p.send(c, "question");
      co_await p.send(c, "again");
      const auto drains = [](party& who, connection& what) -> task<void> {
        who.value(co_await who.bounded(what.drain()));
      };
      const auto receives = [](party& who, connection& from, flag& when,
                               const std::string& all) -> task<void> {
        co_await who.wait(when);
        EXPECT(who, co_await who.receive_bytes(from, all.size()) == all);
      };
      co_await p.beside(drains(p, c), receives(p, c, both_came, large));
    });
  }
  w.run();
}

CONFORMANCE_CASE("sends of several threads are whole, and each thread's are in order",
                 needs(capability::blocking_streams, capability::threads)) {
  constexpr unsigned senders = 3;
  const unsigned rounds = w.under_faults() ? 5 : 40;
  const auto text = [](unsigned who, unsigned round) {
    std::string made(1, static_cast<char>('0' + who));
    return made.append(pattern(who * 3000 + round * 100, round));
  };
  const auto here = std::make_shared<meeting>(w, messages());
  blocking_server(w, here, [&](party& p, blocking::connection& c) {
    std::vector<std::function<void()>> bodies;
    for (unsigned who = 0; who < senders; ++who) {
      bodies.emplace_back([&, who] {
        for (unsigned i = 0; i < rounds; ++i) send_now(p, c, text(who, i));
      });
    }
    run_threads(p, bodies);
  });
  blocking_client(w, here, [&](party& p, blocking::connection& c) {
    std::array<unsigned, senders> next{};
    for (unsigned i = 0; i < senders * rounds; ++i) {
      const std::string got = receive_now(p, c);
      const auto who = static_cast<unsigned>(got[0] - '0');
      EXPECT(p, who < senders && got == text(who, next[who]++));
    }
    EXPECT(p, receive_rest_now(p, c).empty());
  });
  w.run();
}

CONFORMANCE_CASE("close and abort from a third thread wake the threads that wait",
                 needs(capability::blocking_streams, capability::threads)) {
  const std::string large = pattern(more_than_fits(w));
  std::deque<flag> flags;
  for (const pair_options& how : all_modes()) {
    for (const bool abrupt : {true, false}) {
      flag& over = flags.emplace_back(w);
      const auto here = std::make_shared<meeting>(w, how);
      blocking_server(w, here, [&, abrupt](party& p, blocking::connection& c) {
        send_now(p, c, "unread");  // so close can't know more, wherever the other send is
        const auto ends = [&] {
          p.self().sleep(10ms);
          if (abrupt) return c.abort();
          EXPECT(p, p.value(c.close(briefly(p, 20ms))) == delivery::unknown);
        };
        run_threads(p, {[&] { p.refusal<std::size_t>(c.send(large, patient(p)), errc::closed); },
                        [&] {
                          buffer b;
                          p.refusal(c.receive(b, patient(p)), errc::closed);
                        },
                        ends});
        over.set();
      });
      awaiting_client(w, here, idle_until(over));
    }
  }
  w.run();
}

CONFORMANCE_CASE("a stop wakes the thread that it is meant for and no other",
                 needs(capability::blocking_streams, capability::threads)) {
  const std::string large = pattern(more_than_fits(w));
  std::deque<flag> flags;
  for (const pair_options& how : all_modes()) {
    flag& stopped = flags.emplace_back(w);
    const auto here = std::make_shared<meeting>(w, how);
    blocking_server(w, here, [&](party& p, blocking::connection& c) {
      stopper stop(p);
      const auto receives = [&] {
        buffer b;
        p.refusal(c.receive(b, {.within = p.patience(), .unless = stop.token()}), errc::cancelled);
        stopped.set();
        EXPECT(p, receive_now(p, c, 6) == "thanks");
      };
      const auto stops = [&] {
        p.self().sleep(10ms);
        stop.request_stop();
      };
      run_threads(p, {[&] { send_now(p, c, large); }, receives, stops});
    });
    awaiting_client(w, here, [&](party& p, connection& c) -> task<void> {
      co_await p.wait(stopped);
      EXPECT(p, co_await p.receive_bytes(c, large.size()) == large);
      co_await p.send(c, "thanks");
    });
  }
  w.run();
}

}  // namespace tp::conformance
