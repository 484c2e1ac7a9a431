// Rules I: clients that wait, for an instance or for a server.
#include <deque>
#include <optional>

#include "conformance/cases_support.hpp"

namespace tp::conformance {

namespace {

task<void> raise_soon(party& p, flag& what) {
  co_await p.sleep(10ms);
  what.set();
}

}  // namespace

CONFORMANCE_CASE("a client waits until it is accepted", needs()) {
  const std::string name = w.fresh_name();
  flag bound(w), waiting(w);
  w.party("server", [&](party& p) -> task<void> {
    const endpoint served = p.bind(name);
    bound.set();
    co_await p.wait(waiting);
    listener door = p.listen(served);
    connection client = co_await p.accept(door);
    co_await p.send(client, "welcome");
  });
  w.party("client", [&](party& p) -> task<void> {
    const auto be_welcome = [](party& who, const std::string& where, const flag&) -> task<void> {
      connection server = co_await who.connect(where);
      const std::string word = co_await who.receive_bytes(server, 7);
      EXPECT(who, word == "welcome");
    };
    co_await p.wait(bound);
    co_await p.beside(be_welcome(p, name, waiting), raise_soon(p, waiting));
  });
  w.run();
}

CONFORMANCE_CASE("a client that waited for an instance in vain is told busy", needs()) {
  const std::string name = w.fresh_name();
  flag bound(w), held(w), told(w);
  w.party("server", [&](party& p) -> task<void> {
    endpoint_options options;
    options.max_instances = 1;
    auto [served, door] = p.serve(bound, name, options);
    const connection only = co_await p.accept(door);
    held.set();
    co_await p.wait(told);
  });
  w.party("first", [&](party& p) -> task<void> {
    co_await p.wait(bound);
    const connection server = co_await p.connect(name);
    co_await p.wait(told);
  });
  w.party("second", [&](party& p) -> task<void> {
    co_await p.wait(held);
    p.refusal(co_await p.attempt(name).within(20ms).unless(p.stop()), errc::busy);
    p.refusal(co_await p.attempt(name, {.wait_for_server = true}).within(20ms).unless(p.stop()), errc::busy);
    told.set();
  });
  w.run();
}

CONFORMANCE_CASE("a client that waited for a server in vain is told timed_out", needs()) {
  const std::string name = w.fresh_name();
  w.party("client", [&](party& p) -> task<void> {
    const time_point before = p.rt().now();
    p.refusal(co_await p.attempt(name, {.wait_for_server = true}).within(20ms).unless(p.stop()),
              errc::timed_out);
    EXPECT(p, p.rt().now() - before >= 20ms);
  });
  w.run();
}

CONFORMANCE_CASE("a missing server is reported at once", needs()) {
  const std::string name = w.fresh_name();
  w.party("client", [&](party& p) -> task<void> {
    const error missing = p.refusal(co_await p.try_connect(name), errc::not_found);
    EXPECT(p, missing.what_failed() == operation::connect);
    EXPECT(p, missing.subject().find(name) != std::string_view::npos);
    {
      const endpoint briefly = p.bind(name);
    }
    p.refusal(co_await p.try_connect(name), errc::not_found);
  });
  w.run();
}

CONFORMANCE_CASE("a client can wait for a server that comes later", needs()) {
  const std::string name = w.fresh_name();
  flag waiting(w);
  w.party("server", [&](party& p) -> task<void> {
    co_await p.wait(waiting);
    const endpoint served = p.bind(name);
    listener door = p.listen(served);
    connection client = co_await p.accept(door);
    co_await p.receive_end(client);
  });
  w.party("client", [&](party& p) -> task<void> {
    const auto find = [](party& who, const std::string& where) -> task<void> {
      const connection server = co_await who.connect(where, {.wait_for_server = true});
    };
    co_await p.beside(find(p, name), raise_soon(p, waiting));
  });
  w.run();
}

CONFORMANCE_CASE("a waiting client learns that its server went", needs()) {
  const std::string name = w.fresh_name();
  flag bound(w), waiting(w);
  w.party("server", [&](party& p) -> task<void> {
    const endpoint served = p.bind(name);
    bound.set();
    co_await p.wait(waiting);
  });
  w.party("client", [&](party& p) -> task<void> {
    const auto lose = [](party& who, const std::string& where) -> task<void> {
      who.refusal(co_await who.try_connect(where), errc::server_gone);
    };
    co_await p.wait(bound);
    co_await p.beside(lose(p, name), raise_soon(p, waiting));
  });
  w.run();
}

CONFORMANCE_CASE("a waiting client finds the server that replaced the first", needs()) {
  const std::string name = w.fresh_name();
  flag bound(w), waiting(w);
  w.party("servers", [&](party& p) -> task<void> {
    {
      const endpoint first = p.bind(name);
      bound.set();
      co_await p.wait(waiting);
    }
    const endpoint second = p.bind(name);
    listener door = p.listen(second);
    connection client = co_await p.accept(door);
    co_await p.send(client, "second");
  });
  w.party("client", [&](party& p) -> task<void> {
    const auto find = [](party& who, const std::string& where) -> task<void> {
      connection server = co_await who.connect(where, {.wait_for_server = true});
      const std::string word = co_await who.receive_bytes(server, 6);
      EXPECT(who, word == "second");
    };
    co_await p.wait(bound);
    co_await p.beside(find(p, name), raise_soon(p, waiting));
  });
  w.run();
}

CONFORMANCE_CASE("a client waits out a full queue", needs()) {
  constexpr int clients = 5;
  const std::string name = w.fresh_name();
  flag bound(w);
  std::deque<flag> waiting;
  w.party("server", [&](party& p) -> task<void> {
    endpoint_options options;
    options.backlog = 1;
    const endpoint served = p.bind(name, options);
    bound.set();
    for (flag& each : waiting) co_await p.wait(each);
    listener door = p.listen(served);
    for (int i = 0; i < clients; ++i) {
      connection client = co_await p.accept(door);
      co_await p.send(client, "served");
      co_await p.receive_end(client);
    }
  });
  for (int i = 0; i < clients; ++i) {
    w.party("client", [&, &mine = waiting.emplace_back(w)](party& p) -> task<void> {
      const auto be_served = [](party& who, const std::string& where) -> task<void> {
        connection server = co_await who.connect(where);
        const std::string word = co_await who.receive_bytes(server, 6);
        EXPECT(who, word == "served");
      };
      co_await p.wait(bound);
      co_await p.beside(be_served(p, name), raise_soon(p, mine));
    });
  }
  w.run();
}

CONFORMANCE_CASE("a stopped accept loses no client", needs()) {
  const std::string name = w.fresh_name();
  flag bound(w), half(w), stopped(w);
  w.party("server", [&](party& p) -> task<void> {
    const auto be_stopped = [](party& who, listener& door, stopper& mine) -> task<void> {
      who.refusal(co_await door.accept().within(who.patience()).unless(mine.token()), errc::cancelled);
    };
    auto [served, door] = p.serve(bound, name);
    stopper mine(p);
    const auto stop_it = [](party& who, flag& when, stopper& what) -> task<void> {
      co_await who.wait(when);
      co_await stop_soon(who, what);
    };
    co_await p.beside(be_stopped(p, door, mine), stop_it(p, half, mine));
    stopped.set();
    connection client = co_await p.accept(door);
    const std::string word = co_await p.receive_bytes(client, 7);
    EXPECT(p, word == "patient");
  });
  w.party("client", [&](party& p) -> task<void> {
    co_await p.wait(bound);
    connection c = co_await p.raw_client(name);
    const std::string hello = hello_bytes(0);
    co_await p.send(c, std::string_view(hello).substr(0, 9));  // the accept has read this when it is stopped
    half.set();
    co_await p.wait(stopped);
    co_await p.send(c, std::string_view(hello).substr(9));
    co_await p.send(c, "patient");
    const std::string reply = co_await p.receive_bytes(c, reply_size);
    EXPECT(p, reply[11] == '\0');
  });
  w.run();
}

CONFORMANCE_CASE("a client that gave up leaves its instance to the next", needs()) {
  const std::string name = w.fresh_name();
  flag bound(w), gave_up(w), next_waits(w);
  w.party("server", [&](party& p) -> task<void> {
    endpoint_options options;
    options.max_instances = 1;
    const endpoint served = p.bind(name, options);
    bound.set();
    co_await p.wait(next_waits);
    listener door = p.listen(served);
    connection client = co_await p.accept(door);
    const std::string word = co_await p.receive_bytes(client, 4);
    EXPECT(p, word == "next");
    EXPECT(p, served.statistics().admitted == 1);
  });
  w.party("impatient", [&](party& p) -> task<void> {
    co_await p.wait(bound);
    p.refusal(co_await p.attempt(name).within(5ms).unless(p.stop()), errc::busy);
    gave_up.set();
  });
  w.party("next", [&](party& p) -> task<void> {
    const auto be_served = [](party& who, const std::string& where) -> task<void> {
      connection server = co_await who.connect(where);
      co_await who.send(server, "next");
    };
    co_await p.wait(gave_up);
    co_await p.beside(be_served(p, name), raise_soon(p, next_waits));
  });
  w.run();
}

CONFORMANCE_CASE("a client that a closing server turned away waits for the next", needs()) {
  const std::string name = w.fresh_name();
  flag bound(w);
  w.party("servers", [&](party& p) -> task<void> {
    for (int i = 0; i < 2; ++i) {
      endpoint_options options;
      options.profile = profile::raw;  // it says by hand what an endpoint says that closes
      const endpoint closing = p.bind(name, options);
      listener door = p.listen(closing);
      if (i == 0) bound.set();
      connection client = co_await p.accept(door);
      static_cast<void>(co_await p.receive_bytes(client, hello_bytes(0).size()));
      const std::string words = "\x89TWPS\r\n\x1a" + little_endian(reply_size, 2) + std::string(1, '\0') +
                                "\x0b" + std::string(20, '\0');
      co_await p.send(client, words);
      static_cast<void>(co_await p.receive_end(client));
    }
    const endpoint next = p.bind(name);
    listener door = p.listen(next);
    connection client = co_await p.accept(door);
    co_await p.send(client, "next");
  });
  w.party("client", [&](party& p) -> task<void> {
    co_await p.wait(bound);
    p.refusal(co_await p.try_connect(name), errc::closing);
    connection server = co_await p.connect(name, {.wait_for_server = true});
    EXPECT(p, co_await p.receive_bytes(server, 4) == "next");
  });
  w.run();
}

}  // namespace tp::conformance
