// Rules I: instances, their number and their order.
#include <atomic>
#include <deque>
#include <optional>

#include "conformance/cases_support.hpp"

namespace tp::conformance {

namespace {

task<void> raise(flag& what) {
  what.set();
  co_return;
}

/// Serves one client after the other until the endpoint is closed, each for a while.
task<void> serve_all(party& p, const endpoint& served, std::atomic<int>& live, std::atomic<int>& total,
                     int most) {
  auto door = p.try_listen(served);
  if (!door) {  // the others have served all clients already
    p.refusal(door, errc::closed);
    co_return;
  }
  for (;;) {
    auto client = co_await p.bounded(door->accept());
    if (!client) {
      p.refusal(client, errc::closed);
      co_return;
    }
    EXPECT(p, ++live <= most);
    EXPECT(p, served.statistics().instances <= static_cast<std::size_t>(most));
    ++total;
    co_await p.send(*client, "served");
    co_await p.receive_end(*client);
    --live;
  }
}

/// A client that is served and leaves.
world::body served_client(const std::string& name, flag& bound, flag& done) {
  return [&](party& p) -> task<void> {
    co_await p.wait(bound);
    {
      connection server = co_await p.connect(name);
      const std::string word = co_await p.receive_bytes(server, 6);
      EXPECT(p, word == "served");
    }
    done.set();
  };
}

/// A server of several runtimes with few instances, and clients that come all at once.
void run_crowd(world& w, int runtimes, int accepts_each, int clients, std::size_t instances) {
  const std::string name = w.fresh_name();
  const int most = instances == unlimited ? clients : static_cast<int>(instances);
  std::optional<endpoint> served;
  std::atomic<int> live = 0, total = 0;
  flag bound(w);
  std::deque<flag> done;
  host& server = w.process();
  w.party(server, "owner", [&](party& p) -> task<void> {
    endpoint_options options;
    options.max_instances = instances;
    served = p.bind(name, options);
    bound.set();
    for (flag& each : done) co_await p.wait(each);
    served->close();
  });
  for (int i = 0; i < runtimes; ++i) {
    w.party(server, "server", [&](party& p) -> task<void> {
      co_await p.wait(bound);
      if (accepts_each == 1) co_return co_await serve_all(p, *served, live, total, most);
      co_await p.beside(serve_all(p, *served, live, total, most), serve_all(p, *served, live, total, most));
    });
  }
  for (int i = 0; i < clients; ++i) w.party("client", served_client(name, bound, done.emplace_back(w)));
  w.run();
  EXPECT(w, total == clients);
  EXPECT(w, live == 0);
}

}  // namespace

CONFORMANCE_CASE("never more connections than instances", needs()) {
  run_crowd(w, 2, 2, 6, 2);
}

CONFORMANCE_CASE("several runtimes accept on one endpoint", needs()) {
  run_crowd(w, 3, 1, 6, unlimited);
}

CONFORMANCE_CASE("closing a connection admits the next client", needs()) {
  const std::string name = w.fresh_name();
  flag bound(w), held(w), gone(w);
  w.party("server", [&](party& p) -> task<void> {
    endpoint_options options;
    options.max_instances = 1;
    auto [served, door] = p.serve(bound, name, options);
    {
      connection first = co_await p.accept(door);
      p.refusal(co_await door.accept().within(20ms).unless(p.stop()), errc::timed_out);
      EXPECT(p, served.statistics().instances == 1);
      gone.set();
      co_await p.receive_end(first);
    }
    connection second = co_await p.accept(door);
    co_await p.send(second, "served");
  });
  w.party("first", [&](party& p) -> task<void> {
    co_await p.wait(bound);
    const connection server = co_await p.connect(name);
    held.set();
    co_await p.wait(gone);
  });
  w.party("second", [&](party& p) -> task<void> {
    co_await p.wait(held);
    connection server = co_await p.connect(name);
    const std::string word = co_await p.receive_bytes(server, 6);
    EXPECT(p, word == "served");
  });
  w.run();
}

CONFORMANCE_CASE("a freed instance goes to the accept that waited longest", needs()) {
  const std::string name = w.fresh_name();
  std::optional<endpoint> served;
  flag held(w), first_waits(w), second_waits(w), first_won(w), bound(w), leave(w);
  host& server = w.process();
  const auto expect_client = [](party& p, const endpoint& on, flag& won) -> task<void> {
    listener door = p.listen(on);
    connection client = co_await p.accept(door);
    won.set();
    co_await p.receive_end(client);
  };
  w.party(server, "owner", [&](party& p) -> task<void> {
    endpoint_options options;
    options.max_instances = 1;
    served = p.bind(name, options);
    listener door = p.listen(*served);
    bound.set();
    connection taken = co_await p.accept(door);
    held.set();
    co_await p.wait(second_waits);
    leave.set();
    co_await p.receive_end(taken);
  });
  w.party(server, "first", [&](party& p) -> task<void> {
    co_await p.wait(held);
    co_await p.beside(expect_client(p, *served, first_won), raise(first_waits));
  });
  flag second_won(w);
  w.party(server, "second", [&](party& p) -> task<void> {
    co_await p.wait(first_waits);
    const auto look = [](party& who, flag& now_waits, flag& other, flag& mine, bool& order) -> task<void> {
      now_waits.set();
      co_await who.wait(other);
      order = true;
      co_await who.wait(mine);
    };
    bool first_was_first = false;
    co_await p.beside(expect_client(p, *served, second_won),
                      look(p, second_waits, first_won, second_won, first_was_first));
    EXPECT(p, first_was_first);
  });
  for (int i = 0; i < 3; ++i) {
    w.party("client", [&, i](party& p) -> task<void> {
      co_await p.wait(i == 0 ? bound : held);
      const connection c = co_await p.connect(name);
      // The first client holds the only instance; of the others each leaves when its server has it.
      co_await p.wait(i == 0 ? leave : first_won);
    });
  }
  w.run();
}

CONFORMANCE_CASE("a refused client takes no instance", needs()) {
  const std::string name = w.fresh_name();
  flag bound(w), refused(w);
  w.party("server", [&](party& p) -> task<void> {
    endpoint_options options;
    options.max_instances = 1;
    auto [served, door] = p.serve(bound, name, options);
    connection client = co_await p.accept(door);
    EXPECT(p, served.statistics().instances == 1);
    EXPECT(p, served.statistics().refused == 2);
    EXPECT(p, served.statistics().admitted == 1);
    co_await p.send(client, "served");
  });
  w.party("refused", [&](party& p) -> task<void> {
    co_await p.wait(bound);
    for (int i = 0; i < 2; ++i) {
      p.refusal(co_await p.try_connect(name, {.mode = transmission::message}), errc::mode_mismatch);
    }
    refused.set();
  });
  w.party("admitted", [&](party& p) -> task<void> {
    co_await p.wait(refused);
    connection server = co_await p.connect(name);
    const std::string word = co_await p.receive_bytes(server, 6);
    EXPECT(p, word == "served");
  });
  w.run();
}

}  // namespace tp::conformance
