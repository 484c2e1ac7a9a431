// Blocking accepts: several threads on one endpoint, beside runtimes.
#include <atomic>
#include <deque>
#include <optional>

#include "conformance/cases_blocking_support.hpp"

namespace tp::conformance {

namespace {

/// What the clients of a crowd, and those who serve them, have in common.
struct crowd {
  crowd(world& in, int instances) : bound(in), most(instances) {}
  void enter(party& p) {
    EXPECT(p, ++live <= most);
    ++total;
  }

  std::optional<endpoint> served;
  std::atomic<int> live = 0, total = 0;
  flag bound;
  std::deque<flag> done;
  const int most;
};

/// Serves one client after the other until the endpoint is closed.
void serve_by_calls(party& p, crowd& all) {
  auto door = blocking::listen(p.self(), *all.served);
  while (door) {
    auto client = door->accept(patient(p));
    if (!client) return static_cast<void>(p.refusal(client, errc::closed));
    all.enter(p);
    send_now(p, *client, "served");
    EXPECT(p, receive_rest_now(p, *client).empty());
    --all.live;
  }
  p.refusal(door, errc::closed);  // the others have served all
}

task<void> serve_by_awaiting(party& p, crowd& all) {
  auto door = p.try_listen(*all.served);
  while (door) {
    auto client = co_await p.bounded(door->accept());
    if (!client) co_return static_cast<void>(p.refusal(client, errc::closed));
    all.enter(p);
    co_await p.send(*client, "served");
    co_await p.receive_end(*client);
    --all.live;
  }
  p.refusal(door, errc::closed);
}

/// Connects, sends the first bytes of a hello after it was told to, the rest when it is time, and is served.
world::body slow_client(const std::string& name, flag& bound, flag& half, flag& now) {
  return [&](party& p) -> task<void> {
    co_await p.wait(bound);
    connection c = co_await p.raw_client(name);
    const std::string hello = hello_bytes(0);
    co_await p.send(c, std::string_view(hello).substr(0, 9));
    half.set();
    co_await p.wait(now);
    co_await p.send(c, std::string_view(hello).substr(9));
    const std::string reply = co_await p.receive_bytes(c, reply_size);
    EXPECT(p, reply[11] == '\0');
    EXPECT(p, co_await p.receive_bytes(c, 7) == "at last");
  };
}

}  // namespace

CONFORMANCE_CASE("threads that block and runtimes share an endpoint and its instances",
                 needs(capability::blocking_streams, capability::threads)) {
  constexpr int clients = 8;
  const std::string name = w.fresh_name();
  crowd all(w, 2);
  host& server = w.process();
  w.party(server, "owner", [&](party& p) -> task<void> {
    endpoint_options options;
    options.max_instances = 2;
    all.served = p.bind(name, options);
    all.bound.set();
    for (flag& each : all.done) co_await p.wait(each);
    all.served->close();
  });
  w.party(server, "threads", calling([&](party& p) {
            wait_until(p, all.bound);
            const auto serves = [&] { serve_by_calls(p, all); };
            run_threads(p, {serves, serves});
          }));
  w.party(server, "runtime", [&](party& p) -> task<void> {
    co_await p.wait(all.bound);
    co_await serve_by_awaiting(p, all);
  });
  for (int i = 0; i < clients; ++i) {
    w.party("client", calling([&, &mine = all.done.emplace_back(w)](party& p) {
              wait_until(p, all.bound);
              {
                blocking::connection c = connect_now(p, name);
                EXPECT(p, receive_now(p, c, 6) == "served");
              }
              mine.set();
            }));
  }
  w.run();
  EXPECT(w, all.total == clients && all.live == 0);
}

CONFORMANCE_CASE("closing an endpoint wakes the threads that accept",
                 needs(capability::blocking_streams, capability::threads)) {
  w.party("server", calling([name = w.fresh_name()](party& p) {
            endpoint_options options;
            options.max_instances = 1;  // one has it and waits for clients, the other waits for it
            endpoint served = p.bind(name, options);
            const auto accepts = [&] {
              auto door = blocking::listen(p.self(), served);
              if (!door) return static_cast<void>(p.refusal(door, errc::closed));
              for (int i = 0; i < 2; ++i) p.refusal(door->accept(patient(p)), errc::closed);
            };
            const auto closes = [&] {
              p.self().sleep(10ms);
              served.close();
            };
            run_threads(p, {accepts, accepts, closes});
            p.refusal(blocking::listen(p.self(), served), errc::closed);
          }));
  w.run();
}

CONFORMANCE_CASE("a waiting accept takes over the clients that another thread's leaves",
                 needs(capability::blocking_streams, capability::threads)) {
  const std::string name = w.fresh_name();
  flag bound(w), half(w), left(w);
  w.party("server", calling([&](party& p) {
            const endpoint served = p.bind(name);
            stopper stop(p);
            const auto first = [&] {
              blocking::listener door = listen_now(p, served);
              bound.set();
              p.refusal(door.accept({.within = p.patience(), .unless = stop.token()}), errc::cancelled);
              left.set();
            };
            const auto second = [&] {
              wait_until(p, [&] { return served.statistics().half_open == 1; });
              blocking::listener door = listen_now(p, served);
              blocking::connection c = accept_now(p, door);
              EXPECT(p, served.statistics().half_open == 0);
              send_now(p, c, "at last");
              EXPECT(p, receive_rest_now(p, c).empty());
            };
            const auto stops = [&] {
              wait_until(p, half);
              wait_until(p, [&] { return served.statistics().instances == 2; });  // both accept
              stop.request_stop();
            };
            run_threads(p, {first, second, stops});
          }));
  w.party("slow", slow_client(name, bound, half, left));
  w.run();
}

CONFORMANCE_CASE("a blocking listener may be used by one thread after the other",
                 needs(capability::blocking_streams, capability::threads)) {
  const std::string name = w.fresh_name();
  flag bound(w);
  constexpr int clients = 3;
  w.party("server", calling([&](party& p) {
            const endpoint served = p.bind(name);
            blocking::listener door = listen_now(p, served);
            bound.set();
            for (int i = 0; i < clients; ++i) {
              run_threads(p, {[&] {
                            blocking::listener mine = std::move(door);
                            blocking::connection c = accept_now(p, mine);
                            EXPECT(p, receive_now(p, c, 4) == "here");
                            if (i + 1 < clients) door = std::move(mine);  // the last thread destroys it
                          }});
            }
          }));
  for (int i = 0; i < clients; ++i) {
    w.party("client", calling([&](party& p) {
              wait_until(p, bound);
              blocking::connection c = connect_now(p, name);
              send_now(p, c, "here");
            }));
  }
  w.run();
}

CONFORMANCE_CASE("a second thread in a blocking listener is told that one is there already",
                 needs(capability::blocking_streams, capability::threads)) {
  w.party("server", calling([name = w.fresh_name()](party& p) {
            const endpoint served = p.bind(name);
            blocking::listener door = listen_now(p, served);
            stopper stop(p);
            const auto accepts = [&] {
              p.refusal(door.accept({.within = p.patience(), .unless = stop.token()}), errc::cancelled);
            };
            const auto comes_too = [&] {
              wait_until(p, [&] { return served.statistics().instances == 1; });
              const error there = p.refusal(door.accept(patient(p)), errc::operation_in_progress);
              EXPECT(p, there.message().find("another thread is in a call of this listener") !=
                            std::string::npos);
              stop.request_stop();
            };
            run_threads(p, {accepts, comes_too});
          }));
  w.run();
}

CONFORMANCE_CASE("an authorize callback is called by several threads at once",
                 needs(capability::blocking_streams, capability::threads)) {
  const std::string name = w.fresh_name();
  flag bound(w), asked(w);
  std::atomic<int> inside = 0;
  w.party("server", calling([&](party& p) {
            endpoint_options options;
            options.access = access_policy::same_user().authorize([&](const client_request&) {
              ++inside;
              asked.set();
              wait_until(p, [&] { return inside == 2; });
              return admission::grant();
            });
            const endpoint served = p.bind(name, options);
            const auto accepts = [&] {
              blocking::listener door = listen_now(p, served);
              bound.set();
              blocking::connection c = accept_now(p, door);
              EXPECT(p, receive_now(p, c, 2) == "in");
            };
            run_threads(p, {accepts, accepts});
          }));
  for (flag* const when : {&bound, &asked}) {
    w.party("client", calling([&, when](party& p) {
              wait_until(p, *when);
              blocking::connection c = connect_now(p, name);
              send_now(p, c, "in");
            }));
  }
  w.run();
}

}  // namespace tp::conformance
