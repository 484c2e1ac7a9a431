// Handshakes that no twinpipe would make: what each side does with the other's.
#include <array>

#include "conformance/cases_support.hpp"

namespace tp::conformance {

namespace {

constexpr char version_refused = 4, feature_refused = 8, malformed = 9;

struct bad_hello {
  std::size_t at;
  std::string bytes;  ///< instead of those of a good hello
  char status;
};

[[nodiscard]] std::string reply_bytes(char version, char status, std::uint32_t granted,
                                      std::uint16_t length = 32) {
  return "\x89TWPS\r\n\x1a" + little_endian(length, 2) + version + status + little_endian(granted, 4) +
         little_endian(1000, 4) + little_endian(0, 12);
}

}  // namespace

CONFORMANCE_CASE("a hello that cannot be is refused and hurts nobody", needs()) {
  const std::array<bad_hello, 8> hellos{{
      {8, little_endian(31, 2), malformed},
      {8, little_endian(4097, 2), malformed},
      {10, "\x02\x02", version_refused},
      {16, little_endian(1, 4), feature_refused},  // required and not offered
      {12, little_endian(0x80000001, 4) + little_endian(0x80000001, 4), feature_refused},
      {20, "\x04", malformed},
      {21, std::string(1, '\0'), malformed},
      {22, "x", malformed},
  }};
  const std::string name = w.fresh_name();
  flag bound(w);
  w.party("server", [&](party& p) -> task<void> {
    endpoint_options options;
    options.max_instances = 1;
    auto [served, door] = p.serve(bound, name, options);
    connection c = co_await p.accept(door);
    co_await p.hear(c, "unhurt");
    EXPECT(p, served.statistics().refused == hellos.size());
  });
  w.party("rude client", [&](party& p) -> task<void> {
    co_await p.wait(bound);
    for (const bad_hello& each : hellos) {
      connection c = co_await p.raw_client(name);
      const std::string sent = hello_bytes(0).replace(each.at, each.bytes.size(), each.bytes);
      co_await p.send(c, sent);
      const std::string reply = co_await receive_rest(p, c);
      EXPECT(p, reply.size() >= reply_size && reply.starts_with("\x89TWPS\r\n\x1a"));
      EXPECT(p, reply[11] == each.status);
    }
    connection c = co_await p.connect(name);
    co_await p.send(c, "unhurt");
  });
  w.run();
}

CONFORMANCE_CASE("a reply that cannot be ends connect with protocol_error", needs()) {
  const std::array<std::string, 6> replies{
      reply_bytes(1, 13, 0), reply_bytes(1, 0, feature_message), reply_bytes(7, 0, 0),
      reply_bytes(0, 0, 0),  reply_bytes(1, 0, 1u << 20),        reply_bytes(1, 0, 0, 31),
  };
  const std::string name = w.fresh_name();
  flag bound(w);
  w.party("rude server", [&](party& p) -> task<void> {
    endpoint_options options;
    options.profile = profile::raw;
    auto [served, door] = p.serve(bound, name, options);
    for (const std::string& each : replies) {
      connection c = co_await p.accept(door);
      static_cast<void>(co_await p.receive_bytes(c, 32));
      co_await p.send_if_heard(c, each);
      buffer b;
      const auto left = co_await p.bounded(c.receive(b));
      EXPECT(p, !left || left->end);
    }
  });
  w.party("client", [&](party& p) -> task<void> {
    co_await p.wait(bound);
    for (std::size_t i = 0; i < replies.size(); ++i) {
      p.refusal(co_await p.try_connect(name), errc::protocol_error);
    }
  });
  w.run();
}

}  // namespace tp::conformance
