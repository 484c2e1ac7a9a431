// Rules L: from bind to the end of an endpoint.
#include <optional>

#include "conformance/cases_support.hpp"

namespace tp::conformance {

namespace {

constexpr char status_closing = 11;

task<void> echo_once(party& p, connection& c) {
  const std::string text = co_await p.receive_bytes(c, 4);
  co_await p.send(c, text);
}

task<void> ask_echo(party& p, connection& c) {
  co_await p.send(c, "ping");
  const std::string answer = co_await p.receive_bytes(c, 4);
  EXPECT(p, answer == "ping");
}

}  // namespace

CONFORMANCE_CASE("a name can be bound only once", needs()) {
  const std::string name = w.fresh_name();
  w.party("server", [&](party& p) -> task<void> {
    const endpoint first = p.bind(name);
    const error second = p.refusal(p.try_bind(name), errc::name_in_use);
    EXPECT(p, second.what_failed() == operation::bind);
    static_cast<void>(p.bind(name + "-other"));
    co_return;
  });
  w.run();
}

CONFORMANCE_CASE("another process cannot bind a bound name and learns who holds it", needs()) {
  const std::string name = w.fresh_name();
  flag bound(w), refused(w), freed(w);
  std::uint32_t holder = 0;
  w.party("first", [&](party& p) -> task<void> {
    {
      const endpoint served = p.bind(name);
      holder = p.self().self().pid.value;
      bound.set();
      co_await p.wait(refused);
    }
    freed.set();
  });
  w.party("second", [&](party& p) -> task<void> {
    co_await p.wait(bound);
    const error taken = p.refusal(p.try_bind(name), errc::name_in_use);
    EXPECT(p, taken.subject().find(std::to_string(holder)) != std::string_view::npos);
    refused.set();
    co_await p.wait(freed);
    static_cast<void>(p.bind(name));
  });
  w.run();
}

CONFORMANCE_CASE("an endpoint tells its place and what its system cannot promise", needs()) {
  const std::string name = w.fresh_name();
  w.party("server", [&](party& p) -> task<void> {
    const endpoint own = p.bind(name);
    EXPECT(p, own.name() == name);
    EXPECT(p, own.location().find(name) != std::string::npos);
    EXPECT(p, own.unenforced().empty());
    const std::string bare = "unix-abstract:" + p.in().directory();
    const endpoint abstract = p.bind(bare);
    EXPECT(p, abstract.name() == bare);
    EXPECT(p, !abstract.location().empty());
    EXPECT(p, abstract.unenforced().ends_with('.'));
    co_return;
  });
  w.run();
}

CONFORMANCE_CASE("an endpoint closes with its last copy", needs()) {
  const std::string name = w.fresh_name();
  w.party("server", [&](party& p) -> task<void> {
    std::optional<endpoint> first = p.bind(name);
    std::optional<endpoint> copy = first;
    first.reset();
    p.refusal(p.try_bind(name), errc::name_in_use);
    std::optional<listener> door = p.listen(*copy);
    copy.reset();
    p.refusal(p.try_bind(name), errc::name_in_use);
    door.reset();
    static_cast<void>(p.bind(name));
    co_return;
  });
  w.run();
}

CONFORMANCE_CASE("a name is free as soon as its endpoint is closed", needs()) {
  const std::string name = w.fresh_name();
  flag bound(w), bound_again(w);
  w.party("server", [&](party& p) -> task<void> {
    endpoint first = p.bind(name);
    listener door = p.listen(first);
    bound.set();
    connection client = co_await p.accept(door);
    first.close();
    const endpoint second = p.bind(name);
    listener second_door = p.listen(second);
    bound_again.set();
    connection other = co_await p.accept(second_door);
    co_await echo_once(p, other);
    co_await echo_once(p, client);
  });
  w.party("client", [&](party& p) -> task<void> {
    co_await p.wait(bound);
    connection server = co_await p.connect(name);
    co_await p.wait(bound_again);
    connection successor = co_await p.connect(name);
    co_await ask_echo(p, successor);
    co_await ask_echo(p, server);
  });
  w.run();
}

CONFORMANCE_CASE("closing an endpoint ends its pending accepts", needs()) {
  const std::string name = w.fresh_name();
  std::optional<endpoint> served;
  flag bound(w), waiting[2] = {flag(w), flag(w)};
  host& server = w.process();
  const auto accept_in_vain = [](party& p, listener& door, bool& ended) -> task<void> {
    p.refusal(co_await p.bounded(door.accept()), errc::closed);
    ended = true;
    p.refusal(co_await p.bounded(door.accept()), errc::closed);
  };
  for (flag& each : waiting) {
    w.party(server, "accepting", [&](party& p) -> task<void> {
      const auto tell = [](flag& now_waits) -> task<void> {
        now_waits.set();
        co_return;
      };
      co_await p.wait(bound);
      listener door = p.listen(*served);
      bool ended = false;
      co_await p.beside(accept_in_vain(p, door, ended), tell(each));
    });
  }
  w.party(server, "closing", [&](party& p) -> task<void> {
    const auto close_twice = [](party& who, endpoint& what, const bool& ended) -> task<void> {
      what.close();
      what.close();
      EXPECT(who, !ended);  // not inside close()
      who.refusal(who.try_listen(what), errc::closed);
      co_return;
    };
    served = p.bind(name);
    listener door = p.listen(*served);
    bound.set();
    for (flag& each : waiting) co_await p.wait(each);
    bool ended = false;
    co_await p.beside(accept_in_vain(p, door, ended), close_twice(p, *served, ended));
  });
  w.run();
}

CONFORMANCE_CASE("closing an endpoint refuses clients for whom an accept waits", needs()) {
  const std::string name = w.fresh_name();
  flag bound(w), silent(w), done(w);
  w.party("server", [&](party& p) -> task<void> {
    const auto accept_in_vain = [](party& who, listener& at) -> task<void> {
      who.refusal(co_await who.bounded(at.accept()), errc::closed);
    };
    const auto close = [](party& who, endpoint& what) -> task<void> {
      EXPECT(who, what.statistics().half_open == 1);
      what.close();
      co_return;
    };
    auto [served, door] = p.serve(bound, name);
    const connection client = co_await p.accept(door);
    co_await p.beside(accept_in_vain(p, door), close(p, served));
    co_await p.wait(done);
  });
  w.party("silent", [&](party& p) -> task<void> {
    co_await p.wait(bound);
    connection c = co_await p.raw_client(name);
    silent.set();
    const std::string reply = co_await receive_rest(p, c);
    EXPECT(p, reply.starts_with("\x89TWPS\r\n\x1a"));
    EXPECT(p, reply[11] == status_closing);
    done.set();
  });
  w.party("accepted", [&](party& p) -> task<void> {
    co_await p.wait(silent);
    const connection c = co_await p.connect(name);
    co_await p.wait(done);
  });
  w.run();
}

CONFORMANCE_CASE("closing an endpoint refuses clients at its door", needs()) {
  const std::string name = w.fresh_name();
  flag bound(w), silent(w), accepted(w), done(w);
  w.party("server", [&](party& p) -> task<void> {
    auto [served, door] = p.serve(bound, name);
    const connection client = co_await p.accept(door);
    EXPECT(p, served.statistics().half_open == 1);
    served.close();
    co_await p.wait(done);
  });
  w.party("half-open", [&](party& p) -> task<void> {
    co_await p.wait(bound);
    connection c = co_await p.raw_client(name);
    co_await p.send(c, hello_bytes(0).substr(0, 20));
    silent.set();
    const std::string reply = co_await receive_rest(p, c);
    // A blocking listener says nothing between two accepts.
    EXPECT(p, calls_block ? reply.empty() : reply.starts_with("\x89TWPS\r\n\x1a"));
    if (!calls_block) EXPECT(p, reply[11] == status_closing);
    done.set();
  });
  w.party("accepted", [&](party& p) -> task<void> {
    co_await p.wait(silent);
    const connection c = co_await p.connect(name);
    co_await p.wait(done);
  });
  w.run();
}

CONFORMANCE_CASE("connections outlive their endpoint", needs()) {
  const std::string name = w.fresh_name();
  flag bound(w), closed(w);
  w.party("server", [&](party& p) -> task<void> {
    std::optional<connection> client;
    {
      auto [served, door] = p.serve(bound, name);
      client = co_await p.accept(door);
    }
    closed.set();
    co_await echo_once(p, *client);
  });
  w.party("client", [&](party& p) -> task<void> {
    co_await p.wait(bound);
    connection server = co_await p.connect(name);
    co_await p.wait(closed);
    p.refusal(co_await p.try_connect(name), errc::not_found);
    co_await ask_echo(p, server);
  });
  w.run();
}

}  // namespace tp::conformance
