// Rules I: clients whose hello isn't complete.
#include <deque>
#include <optional>

#include "conformance/cases_support.hpp"

namespace tp::conformance {

namespace {

constexpr char status_malformed = 9, status_overloaded = 10;

/// Connects after `when`, says nothing, and raises `here`.
task<connection> silent_client(party& p, const std::string& name, flag& when, flag& here) {
  co_await p.wait(when);
  connection c = co_await p.raw_client(name);
  here.set();
  co_return c;
}

/// A polite client for the accept that is to end; it leaves when `done`.
world::body polite_client(const std::string& name, flag& when, flag& done) {
  return [&](party& p) -> task<void> {
    co_await p.wait(when);
    const connection server = co_await p.connect(name);
    co_await p.wait(done);
  };
}

/// The whole handshake of a client that has been silent so far.
task<void> speak_at_last(party& p, connection& c) {
  const std::string hello = hello_bytes(0);
  co_await p.send(c, hello);
  const std::string reply = co_await p.receive_bytes(c, reply_size);
  EXPECT(p, reply.starts_with("\x89TWPS\r\n\x1a"));
  EXPECT(p, reply[11] == '\0');
}

}  // namespace

CONFORMANCE_CASE("a silent client holds up nobody", needs()) {
  const std::string name = w.fresh_name();
  flag bound(w), silent(w), slow(w), done(w);
  w.party("server", [&](party& p) -> task<void> {
    endpoint_options options;
    options.max_instances = 1;
    auto [served, door] = p.serve(bound, name, options);
    const connection client = co_await p.accept(door);
    EXPECT(p, served.statistics().instances == 1);
    EXPECT(p, served.statistics().half_open == 2);
    done.set();
  });
  w.party("silent", [&](party& p) -> task<void> {
    const connection c = co_await silent_client(p, name, bound, silent);
    co_await p.wait(done);
  });
  w.party("slow", [&](party& p) -> task<void> {
    co_await p.wait(silent);
    connection c = co_await p.raw_client(name);
    for (const char each : hello_bytes(0).substr(0, 12)) co_await p.send(c, std::string_view(&each, 1));
    slow.set();
    co_await p.wait(done);
  });
  w.party("polite", polite_client(name, slow, done));
  w.run();
}

CONFORMANCE_CASE("a silent client is dropped when its time is up", needs()) {
  const std::string name = w.fresh_name();
  flag bound(w), silent(w), dropped(w), never_set(w);
  w.party("server", [&](party& p) -> task<void> {
    endpoint_options options;
    options.handshake_timeout = w.has_fault() ? 30ms : 300ms;
    auto [served, door] = p.serve(bound, name, options);
    const connection client = co_await p.accept(door);
    EXPECT(p, served.statistics().half_open == 0);
  });
  w.party("silent", [&](party& p) -> task<void> {
    connection c = co_await silent_client(p, name, bound, silent);
    EXPECT(p, (co_await receive_rest(p, c)).find("twinpipe") != std::string::npos);
    dropped.set();
  });
  w.party("polite", polite_client(name, dropped, dropped));
  w.run();
}

CONFORMANCE_CASE("an accept takes over the clients that an earlier one left", needs()) {
  const std::string name = w.fresh_name();
  std::optional<endpoint> served;
  flag bound(w), silent(w), left(w), done(w);
  host& server = w.process();
  w.party(server, "first runtime", [&](party& p) -> task<void> {
    served = p.bind(name);
    listener door = p.listen(*served);
    bound.set();
    const connection client = co_await p.accept(door);
    EXPECT(p, served->statistics().half_open == 1);
    left.set();
    co_await p.wait(done);
  });
  w.party(server, "second runtime", [&](party& p) -> task<void> {
    co_await p.wait(left);
    listener door = p.listen(*served);
    connection client = co_await p.accept(door);
    EXPECT(p, served->statistics().half_open == 0);
    co_await p.send(client, "at last");
    co_await p.receive_end(client);
    done.set();
  });
  w.party("slow", [&](party& p) -> task<void> {
    connection c = co_await silent_client(p, name, bound, silent);
    co_await p.wait(left);
    co_await speak_at_last(p, c);
    const std::string word = co_await p.receive_bytes(c, 7);
    EXPECT(p, word == "at last");
  });
  w.party("polite", polite_client(name, silent, done));
  w.run();
}

CONFORMANCE_CASE("the time of a client that nobody reads stands still", needs()) {
  const std::string name = w.fresh_name();
  flag bound(w), silent(w), late(w), done(w);
  w.party("server", [&](party& p) -> task<void> {
    endpoint_options options;
    options.handshake_timeout = w.has_fault() ? 100ms : 1s;
    auto [served, door] = p.serve(bound, name, options);
    const connection first = co_await p.accept(door);
    co_await p.sleep(options.handshake_timeout);  // a client with its clock running would be out of time
    late.set();
    connection second = co_await p.accept(door);
    co_await p.receive_end(second);
    done.set();
  });
  w.party("slow", [&](party& p) -> task<void> {
    connection c = co_await silent_client(p, name, bound, silent);
    co_await p.wait(late);
    co_await speak_at_last(p, c);
  });
  w.party("polite", polite_client(name, silent, done));
  w.run();
}

CONFORMANCE_CASE("beyond the limit of half-open clients the oldest is shed", needs()) {
  const std::string name = w.fresh_name();
  flag bound(w), first(w), second(w), third(w), admitted(w), told(w), done(w);
  w.party("server", [&](party& p) -> task<void> {
    endpoint_options options;
    options.max_half_open = 2;
    auto [served, door] = p.serve(bound, name, options);
    const connection client = co_await p.accept(door);
    EXPECT(p, served.statistics().shed == 2);
    EXPECT(p, served.statistics().half_open == 1);
    admitted.set();
    const connection last = co_await p.accept(door);  // what is still on its way to others goes meanwhile
    done.set();
  });
  w.party("oldest", [&](party& p) -> task<void> {
    connection c = co_await silent_client(p, name, bound, first);
    const std::string reply = co_await p.receive_bytes(c, reply_size);
    EXPECT(p, reply[11] == status_overloaded);
    co_await p.wait(admitted);
    told.set();
  });
  for (int i = 0; i < 2; ++i) {
    w.party("silent", [&, i](party& p) -> task<void> {
      const connection c = co_await silent_client(p, name, i == 0 ? first : second, i == 0 ? second : third);
      co_await p.wait(done);
    });
  }
  w.party("polite", polite_client(name, third, done));
  w.party("last", polite_client(name, told, done));
  w.run();
}

CONFORMANCE_CASE("a hello that stays incomplete is refused when its time is up", needs()) {
  const std::string name = w.fresh_name();
  flag bound(w), refused(w);
  w.party("server", [&](party& p) -> task<void> {
    endpoint_options options;
    options.handshake_timeout = w.has_fault() ? 30ms : 300ms;  // enough for the first byte to come
    const endpoint served = p.bind(name, options);
    listener door = p.listen(served);
    bound.set();
    const connection client = co_await p.accept(door);
    EXPECT(p, served.statistics().half_open == 0 && served.statistics().refused == 2);
  });
  w.party("slow", [&](party& p) -> task<void> {
    co_await p.wait(bound);
    const std::string hello = hello_bytes(0);
    for (const std::size_t said : {std::size_t{1}, hello.size() - 1}) {
      connection c = co_await p.raw_client(name);
      co_await p.send(c, std::string_view(hello).substr(0, said));
      const std::string reply = co_await receive_rest(p, c);
      EXPECT(p, reply.size() > reply_size && reply[11] == status_malformed);
      EXPECT(p, reply.find("in time") != std::string::npos);
    }
    refused.set();
  });
  w.party("polite", polite_client(name, refused, refused));
  w.run();
}

}  // namespace tp::conformance
