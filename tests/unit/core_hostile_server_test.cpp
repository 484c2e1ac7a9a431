// Servers that lie to a client, or are none.
#include <catch2/catch.hpp>
#include <catch2/trompeloeil.hpp>

#include "core_connect_rig.hpp"

using namespace tp;
using namespace tp::test;
using namespace std::chrono_literals;
using wire::reply_status;

namespace {

struct lie {
  const char* what;
  byte_vector says;
  errc expected;
};

byte_vector changed_reply(std::size_t at, unsigned value) {
  byte_vector reply = client_rig::acceptance();
  reply[at] = static_cast<std::byte>(value);
  return reply;
}

std::vector<lie> lies() {
  return {
      {"an HTTP server", bytes_of("HTTP/1.1 400 Bad Request"), errc::peer_is_not_twinpipe},
      {"a wrong last byte of the magic", changed_reply(7, 0), errc::peer_is_not_twinpipe},
      {"length 0", changed_reply(8, 0), errc::protocol_error},
      {"length 65535", changed_reply(9, 0xff), errc::protocol_error},
      {"a version that was not offered", changed_reply(10, 9), errc::protocol_error},
      {"an unknown status", changed_reply(11, 200), errc::protocol_error},
      {"messages in byte mode", client_rig::acceptance(wire::feature_message | wire::feature_framed),
       errc::protocol_error},
      {"an unknown feature", client_rig::acceptance(1u << 30), errc::protocol_error},
      {"keepalive that was not offered",
       client_rig::acceptance(wire::feature_framed | wire::feature_keepalive), errc::protocol_error},
      {"early bytes that were not sent", changed_reply(20, 1), errc::protocol_error},
  };
}

}  // namespace

TEST_CASE("a server that lies ends connect with its error, whether its bytes come at once or one by one") {
  for (const lie& each : lies()) {
    for (const bool byte_by_byte : {false, true}) {
      client_rig rig;
      played_stream& server = rig.server();
      rig.attempts.push_back({&server});
      connected done;
      rig.connect_to("files", done);
      if (!byte_by_byte) server.feed(each.says);
      for (std::size_t i = 0; byte_by_byte && i < each.says.size() && !done.done(); ++i) {
        server.feed({each.says[i]});
        rig.settle();
      }
      rig.settle();
      CAPTURE(each.what, byte_by_byte);
      CHECK((done.code() == each.expected && server.released));
    }
  }
}

TEST_CASE("an echo is recognised at the first byte that differs") {
  client_rig rig;
  played_stream& server = rig.server();
  rig.attempts.push_back({&server});
  connected done;
  rig.connect_to("files", done);
  server.feed(byte_vector(server.written));
  rig.settle();
  CHECK(done.code() == errc::peer_is_not_twinpipe);
  CHECK(done->error().message().find("echo") != std::string::npos);
}

TEST_CASE("every status of a refusal is an error of its own, and its reason is quoted and escaped") {
  for (int status = 2; status <= 12; ++status) {
    client_rig rig;
    rig.attempts.push_back(
        {&rig.server(client_rig::answer_with(static_cast<reply_status>(status), "no\n\x1b[31m"))});
    connected done;
    rig.connect_to("files", done);
    REQUIRE(done.at_once);
    CHECK((!done->has_value() && done.code() != errc::none));
    const std::string text = done->error().message();
    CHECK((text.find("no") != std::string::npos && text.find('\x1b') == std::string::npos));
  }
}

TEST_CASE("a server may say wait any number of times, at once or one by one, and accept in the end") {
  for (const bool at_once : {true, false}) {
    client_rig rig;
    const byte_vector wait = client_rig::wait();
    played_stream& server = rig.server();
    for (int i = 0; i < 50'000 && at_once; ++i) server.feed(wait);
    rig.attempts.push_back({&server});
    connected done;
    rig.connect_to("files", done);
    for (int i = 0; i < 100 && !at_once; ++i) server.feed(wait);
    CHECK_FALSE(done.done());
    server.feed(client_rig::acceptance());
    rig.settle();
    CHECK((done.done() && done->has_value()));
  }
}

TEST_CASE("a server that never finishes its reply is busy at the deadline") {
  client_rig rig;
  played_stream& server = rig.server();
  rig.attempts.push_back({&server});
  connected done;
  rig.go(rig.connecting_to("files").within(10s), done);
  const byte_vector reply = client_rig::acceptance();
  for (int i = 0; i < 9; ++i) {
    server.feed({reply[static_cast<std::size_t>(i)]});
    rig.pass(1s);
    CHECK_FALSE(done.done());
  }
  rig.pass(1s);
  CHECK((done.code() == errc::busy && server.released));
}
