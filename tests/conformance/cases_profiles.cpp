// Profiles: native and raw, and what each makes of the other.
#include <algorithm>
#include <deque>

#include "conformance/cases_support.hpp"

namespace tp::conformance {

CONFORMANCE_CASE("byte mode with frames behaves as without", needs()) {
  const std::string data = pattern(70'000);
  for (int who = 0; who < 4; ++who) {
    pair_options how = bytes();
    how.server.framed = (who & 1) != 0;
    how.client.framed = (who & 2) != 0;
    w.pair(
        how,
        [&](party& p, connection& c) -> task<void> {
          EXPECT(p, c.mode() == transmission::byte);
          const std::string got = co_await receive_rest(p, c);
          EXPECT(p, got == data);
          co_await p.send(c, got);
        },
        [&](party& p, connection& c) -> task<void> {
          EXPECT(p, c.mode() == transmission::byte);
          co_await p.send(c, std::string_view(data).substr(0, 3));
          co_await p.send(c, std::string_view(data).substr(3));
          p.value(co_await p.bounded(c.shutdown()));
          EXPECT(p, co_await receive_rest(p, c) == data);
        });
  }
  w.run();
}

CONFORMANCE_CASE("raw peers exchange exactly the bytes that were sent", needs()) {
  const std::string name = w.fresh_name();
  flag bound(w), connected(w);
  w.party("server", [&](party& p) -> task<void> {
    endpoint_options options;
    options.profile = profile::raw;
    auto [served, door] = p.serve(bound, name, options);
    co_await p.wait(connected);
    connection c = co_await p.accept(door);
    EXPECT(p, c.id() == 0);
    co_await p.send(c, "from the server");
    EXPECT(p, co_await receive_rest(p, c) == "from the client");
  });
  w.party("client", [&](party& p) -> task<void> {
    co_await p.wait(bound);
    connection c = co_await p.raw_client(name);  // though nobody accepts yet: raw can't tell
    connected.set();
    EXPECT(p, c.id() == 0);
    co_await p.send(c, "from the client");
    EXPECT(p, co_await p.receive_bytes(c, 15) == "from the server");
  });
  w.run();
}

CONFORMANCE_CASE("a raw client of a native endpoint is told the profile", needs()) {
  const std::string name = w.fresh_name();
  flag bound(w), told(w);
  const auto line = [](party& p, connection& c) -> task<void> {
    const std::string text = co_await receive_rest(p, c);
    EXPECT(p, text.starts_with("twinpipe") && text.size() <= 128 && text.find("native") != std::string::npos);
    EXPECT(p, text.find('\n') == text.size() - 1);
    EXPECT(p,
           std::ranges::all_of(text, [](char each) { return each == '\n' || (each >= ' ' && each <= '~'); }));
  };
  w.party("server", [&](party& p) -> task<void> {
    endpoint_options options;
    options.handshake_timeout = 50ms;
    auto [served, door] = p.serve(bound, name, options);
    connection c = co_await p.accept(door);
    co_await p.hear(c, "native");
  });
  w.party("raw client", [&](party& p) -> task<void> {
    co_await p.wait(bound);
    connection talker = co_await p.raw_client(name);
    co_await p.send(talker, "GET / HTTP/1.0\r\n");
    co_await line(p, talker);
    connection silent = co_await p.raw_client(name);
    co_await line(p, silent);
    told.set();
  });
  w.party("native client", [&](party& p) -> task<void> {
    co_await p.wait(told);
    connection c = co_await p.connect(name);
    co_await p.send(c, "native");
  });
  w.run();
}

namespace {

/// A raw server that answers a native client's hello by `answer`, and the client's view of it.
void answer_by_hand(world& w, std::function<std::string(const std::string&)> answer,
                    std::function<void(party&, const error&)> verdict) {
  const std::string name = w.fresh_name();
  flag bound(w), over(w);
  w.party("raw server", [&](party& p) -> task<void> {
    endpoint_options options;
    options.profile = profile::raw;
    auto [served, door] = p.serve(bound, name, options);
    connection c = co_await p.accept(door);
    const std::string hello = co_await p.receive_bytes(c, 32);
    EXPECT(p, hello.starts_with("\x89TWPC\r\n\x1a"));
    const std::string words = answer(hello);
    co_await p.send_if_heard(c, words);
    co_await p.wait(over);  // the connection stays open: what was said is enough
  });
  w.party("native client", [&](party& p) -> task<void> {
    co_await p.wait(bound);
    const auto got = co_await p.try_connect(name);
    verdict(p, p.refusal(got, errc::peer_is_not_twinpipe));
    over.set();
  });
  w.run();
}

}  // namespace

CONFORMANCE_CASE("a native client of a raw server sees that the peer is not twinpipe", needs()) {
  answer_by_hand(
      w, [](const std::string&) { return std::string("\x1b[31mno"); },
      [](party& p, const error& refused) {
        const std::string text = refused.message();
        EXPECT(p, text.find('\x1b') == std::string::npos);
        EXPECT(p, text.find("\\x1b") != std::string::npos);
      });
}

CONFORMANCE_CASE("a native client recognises an echo", needs()) {
  answer_by_hand(
      w, [](const std::string& hello) { return hello; },
      [](party& p, const error& refused) { EXPECT(p, refused.message().find("echo") != std::string::npos); });
}

}  // namespace tp::conformance
