// Transmission: limits, sides that disagree, and streams that end or break where they must not.
#include <array>
#include <deque>

#include "conformance/cases_support.hpp"

namespace tp::conformance {

CONFORMANCE_CASE("a message above either side's limit is refused where it is sent", needs()) {
  const std::string fits = pattern(1000), large = pattern(1001);
  pair_options how = messages();
  how.server.max_message = 4096;
  how.client.max_message = 1000;
  const auto side = [&](party& p, connection& c) -> task<void> {
    const error refused = p.refusal(co_await p.bounded(c.send(large)), errc::message_too_large);
    EXPECT(p, refused.what_failed() == operation::send);
    co_await p.send(c, fits);
    co_await p.hear(c, fits);
    p.value(co_await p.bounded(c.shutdown()));
    co_await p.receive_end(c);
  };
  w.pair(how, side, side);
  w.run();
}

CONFORMANCE_CASE("a peer that breaks the protocol is cut off", needs()) {
  const std::array<std::string, 10> broken{
      frame_header(0, unknown_frame),
      frame_header(0xffffffff, data_frame),
      frame_header(0, data_frame, more),
      frame_header(0, abort_frame),
      frame_header(7, ping_frame) + std::string(7, 'p'),
      frame_header(8, ping_frame) + std::string(8, 'p'),
      frame_header(8, drain_frame) + std::string(8, 'd'),
      frame_header(0, data_frame, 2),
      frame_header(2, data_frame, more) + "ab" + frame_header(0, end_frame),
      frame_header(0, end_frame).replace(6, 1, 1, 'r'),
  };
  const std::string name = w.fresh_name();
  flag bound(w), witnessed(w);
  w.party("server", [&](party& p) -> task<void> {
    endpoint_options options;
    options.mode = transmission::message;
    auto [served, door] = p.serve(bound, name, options);
    connection witness = co_await p.accept(door);
    witnessed.set();
    for (std::size_t i = 0; i < broken.size(); ++i) {
      connection rude = co_await p.accept(door);
      buffer b;
      const errc verdict = i == 1 ? errc::message_too_large : errc::protocol_error;
      p.refusal(co_await p.bounded(rude.receive(b)), verdict);
      p.refusal(co_await p.bounded(rude.receive(b)), verdict);
      p.refusal(co_await p.bounded(rude.send("still there?")), errc::protocol_error);
    }
    co_await p.send(witness, "unhurt");
  });
  w.party("witness", [&](party& p) -> task<void> {
    co_await p.wait(bound);
    connect_options options;
    options.mode = transmission::message;
    connection c = co_await p.connect(name, options);
    co_await p.hear(c, "unhurt");
  });
  w.party("rude client", [&](party& p) -> task<void> {
    co_await p.wait(witnessed);
    for (const std::string& each : broken) {
      connection c = co_await crafted_client(p, name);
      co_await p.send_if_heard(c, each);
      for (buffer b;;) {
        const auto got = co_await p.bounded(c.receive(b));
        if (!got || got->end) break;
      }
    }
  });
  w.run();
}

CONFORMANCE_CASE("options that make no sense are refused", needs()) {
  const auto changed = [](auto change) {
    endpoint_options made;
    change(made);
    return made;
  };
  using options = endpoint_options;
  const std::vector<endpoint_options> senseless{
      changed([](options& o) { o.max_instances = 0; }),
      changed([](options& o) { o.max_half_open = 0; }),
      changed([](options& o) { o.max_message = 0; }),
      changed([](options& o) { o.max_message = max_message_limit + 1; }),
      changed([](options& o) { o.backlog = 0; }),
      changed([](options& o) { o.handshake_timeout = -1ms; }),
      changed([](options& o) { o.profile = profile::raw, o.mode = transmission::message; }),
      changed([](options& o) { o.profile = profile::raw, o.framed = true; }),
      changed([](options& o) { o.runtime_directory = "here"; }),
      changed([](options& o) { o.runtime_directory = std::string("/tmp\0/here", 10); }),
  };
  const std::string name = w.fresh_name();
  w.party("server", [&](party& p) -> task<void> {
    for (const endpoint_options& each : senseless) {
      const error refused = p.refusal(p.try_bind(name, each), errc::invalid_argument);
      EXPECT(p, refused.subject().find(name) != std::string_view::npos);
    }
    endpoint_options message_mode;
    message_mode.mode = transmission::message;
    p.refusal(p.try_bind("dotnet:" + name, message_mode), errc::invalid_argument);
    EXPECT(p, endpoint_options{}.max_message == 1u << 20 && connect_options{}.max_message == 1u << 20);
    const endpoint served = p.bind(name, changed([](options& o) { o.max_instances = unlimited; }));
    const endpoint largest =
        p.bind(w.fresh_name(), changed([](options& o) { o.max_message = max_message_limit; }));
    connect_options each;
    each.max_message = max_message_limit + 1;
    p.refusal(co_await p.try_connect(name, each), errc::invalid_argument);
    each.max_message = 0;
    p.refusal(co_await p.try_connect(name, each), errc::invalid_argument);
    each = {};
    for (const std::string_view place : {std::string_view("here"), std::string_view("/tmp\0/here", 10)}) {
      each.runtime_directory = place;
      p.refusal(co_await p.try_connect(name, each), errc::invalid_argument);
    }
    each = {};
    each.profile = profile::raw;
    each.framed = true;
    p.refusal(co_await p.try_connect(name, each), errc::invalid_argument);
    each.framed = false;
    each.mode = transmission::message;
    p.refusal(co_await p.try_connect("no-such-name", each), errc::invalid_argument);
  });
  w.run();
}

CONFORMANCE_CASE("sides that differ in mode are refused", needs()) {
  std::deque<flag> flags;
  for (const auto& [mode, other] : {std::pair(transmission::byte, transmission::message),
                                    std::pair(transmission::message, transmission::byte)}) {
    flag& bound = flags.emplace_back(w);
    const std::string name = w.fresh_name();
    w.party("server", [&, name, mode](party& p) -> task<void> {
      endpoint_options options;
      options.mode = mode;
      options.max_instances = 1;
      auto [served, door] = p.serve(bound, name, options);
      connection c = co_await p.accept(door);
      EXPECT(p, c.mode() == mode);
      co_await p.hear(c, "at last");
    });
    w.party("client", [&, name, mode, other](party& p) -> task<void> {
      co_await p.wait(bound);
      connect_options options;
      options.mode = other;
      p.refusal(co_await p.try_connect(name, options), errc::mode_mismatch);
      options.mode = mode;
      connection c = co_await p.connect(name, options);
      co_await p.send(c, "at last");
    });
  }
  w.run();
}

CONFORMANCE_CASE("an end inside a message is connection_lost", needs()) {
  const std::array<std::string, 3> unfinished{
      frame_header(10, data_frame).substr(0, 3),
      frame_header(10, data_frame) + "0123",
      frame_header(2, data_frame, more) + "01",
  };
  const std::string name = w.fresh_name();
  flag bound(w);
  w.party("server", [&](party& p) -> task<void> {
    endpoint_options options;
    options.mode = transmission::message;
    auto [served, door] = p.serve(bound, name, options);
    for (std::size_t i = 0; i < unfinished.size(); ++i) {
      connection c = co_await p.accept(door);
      co_await p.hear(c, "whole");
      buffer b;
      p.refusal(co_await p.bounded(c.receive(b)), errc::connection_lost);
      p.refusal(co_await p.bounded(c.receive(b)), errc::connection_lost);
    }
  });
  w.party("client", [&](party& p) -> task<void> {
    co_await p.wait(bound);
    for (const std::string& each : unfinished) {
      connection c = co_await crafted_client(p, name);
      const std::string sent = frame_header(5, data_frame) + "whole" + each;
      co_await p.send(c, sent);
    }
  });
  w.run();
}

}  // namespace tp::conformance
