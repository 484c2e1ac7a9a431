// The vectors of docs/protocol.md against the code, in both directions.
#include "wire_vectors.hpp"

#include <catch2/catch.hpp>
#include <functional>
#include <map>
#include <set>
#include <stdexcept>
#include <tuple>

namespace tp::test {

namespace {

using wire::hello_reader;

bool set_extension(wire::extensions& extra, const std::string& name, const std::string& value) {
  if (name == "app_protocol") return extra.app_protocols.push_back(value), true;
  if (name == "endpoint") return extra.endpoint = value, true;
  if (name == "program") return extra.program = value, true;
  if (name == "reason") return extra.reason = value, true;
  if (name == "relay_hop") return extra.relay_hop = value, true;
  if (name == "keepalive_ms") return extra.keepalive_ms = static_cast<std::uint32_t>(std::stoul(value)), true;
  if (name == "retry_after_ms")
    return extra.retry_after_ms = static_cast<std::uint32_t>(std::stoul(value)), true;
  return name == "canonical";
}

/// A field that is a number, wherever it goes.
template <class T>
auto setter(T& field) {
  return [&field](const std::string& value) { field = static_cast<T>(std::stoull(value)); };
}

using setters = std::map<std::string, std::function<void(const std::string&)>>;

void fill(const wire_vector& v, const setters& numbers, wire::extensions& extra) {
  for (const auto& [name, value] : v.fields) {
    if (const auto it = numbers.find(name); it != numbers.end()) {
      it->second(value);
    } else if (!set_extension(extra, name, value)) {
      throw std::runtime_error("an unknown field: " + name);
    }
  }
}

wire::client_hello hello_of(const wire_vector& v) {
  wire::client_hello h;
  fill(v,
       {{"version_min", setter(h.version_min)},
        {"version_max", setter(h.version_max)},
        {"offered", setter(h.offered)},
        {"required", setter(h.required)},
        {"level", setter(h.level)},
        {"directions", setter(h.directions)},
        {"max_receive", setter(h.max_receive)},
        {"early_length", setter(h.early_length)}},
       h.extra);
  return h;
}

wire::server_reply reply_of(const wire_vector& v) {
  wire::server_reply r;
  std::uint8_t status = 0;
  fill(v,
       {{"version", setter(r.version)},
        {"status", setter(status)},
        {"granted", setter(r.granted)},
        {"max_receive", setter(r.max_receive)},
        {"early_taken", setter(r.early_taken)},
        {"connection_id", setter(r.connection_id)}},
       r.extra);
  r.status = wire::reply_status{status};
  return r;
}

void check_equal(const wire::extensions& a, const wire::extensions& b) {
  CHECK(a.app_protocols == b.app_protocols);
  CHECK(a.endpoint == b.endpoint);
  CHECK(a.program == b.program);
  CHECK(a.reason == b.reason);
  CHECK(a.relay_hop == b.relay_hop);
  CHECK(a.keepalive_ms == b.keepalive_ms);
  CHECK(a.retry_after_ms == b.retry_after_ms);
}

void check_refused(hello_reader& reader, const wire_vector& v) {
  const std::string expected = v.get("refused");
  const std::size_t at = std::stoul(expected.substr(expected.find(" at ") + 4));
  REQUIRE(at < v.bytes.size());
  feed(reader, std::span(v.bytes).first(at), 1);
  REQUIRE(reader.current() == hello_reader::state::needs_more);
  feed(reader, std::span(v.bytes).subspan(at, 1));
  REQUIRE(reader.current() == hello_reader::state::wrong);
  CHECK(std::string(to_string(reader.reason())) + " at " + std::to_string(at) == expected);
  CHECK_FALSE(reader.reason_text().empty());
}

void check_hello_or_reply(const wire_vector& v, wire::hello_side side) {
  INFO(v.kind << ": " << v.title);
  hello_reader reader(side);
  if (!v.get("refused").empty()) return check_refused(reader, v);
  REQUIRE(feed(reader, v.bytes) == v.bytes.size());
  INFO(reader.reason_text());
  REQUIRE(reader.current() == hello_reader::state::complete);
  const bool canonical = v.get("canonical") != "no";
  if (side == wire::hello_side::from_client) {
    const auto expected = hello_of(v);
    const auto& got = reader.hello();
    CHECK(std::tuple(got.version_min, got.version_max, got.offered, got.required, got.level, got.directions,
                     got.max_receive, got.early_length) ==
          std::tuple(expected.version_min, expected.version_max, expected.offered, expected.required,
                     expected.level, expected.directions, expected.max_receive, expected.early_length));
    check_equal(got.extra, expected.extra);
    if (canonical) CHECK(to_hex(encode(expected)) == to_hex(v.bytes));
  } else {
    const auto expected = reply_of(v);
    const auto& got = reader.reply();
    CHECK(std::tuple(got.version, got.status, got.granted, got.max_receive, got.early_taken,
                     got.connection_id) == std::tuple(expected.version, expected.status, expected.granted,
                                                      expected.max_receive, expected.early_taken,
                                                      expected.connection_id));
    check_equal(got.extra, expected.extra);
    if (canonical) CHECK(to_hex(encode(expected)) == to_hex(v.bytes));
  }
}

}  // namespace

TEST_CASE("every hello of the protocol page is read, built or refused as the page says") {
  for (const auto& v : vectors_of("hello")) check_hello_or_reply(v, wire::hello_side::from_client);
}

TEST_CASE("every reply of the protocol page is read, built or refused as the page says") {
  for (const auto& v : vectors_of("reply")) check_hello_or_reply(v, wire::hello_side::from_server);
}

TEST_CASE("every sequence of frames of the protocol page is read, built or refused as the page says") {
  for (const auto& v : vectors_of("frames")) {
    INFO(v.title);
    REQUIRE((v.get("mode") == "message" || v.get("mode") == "byte"));
    frame_log log(v.get("mode") == "message" ? transmission::message : transmission::byte,
                  std::stoul(v.get("max_receive")));
    log.feed(v.bytes);
    CHECK(log.events() == v.get_all("event"));
    if (log.refused()) continue;
    CHECK(log.left_over() == 0);
    byte_vector rebuilt;
    for (const auto& event : log.events()) append(rebuilt, frame_of_event(event));
    CHECK(to_hex(rebuilt) == to_hex(v.bytes));
  }
}

TEST_CASE("the protocol page has a vector for every status and for every type of frame") {
  std::set<std::string> statuses;
  std::set<std::string> words;
  for (const auto& v : vectors_of("reply")) {
    if (v.get("refused").empty()) statuses.insert(v.get("status"));
  }
  for (const auto& v : vectors_of("frames")) {
    for (const auto& event : v.get_all("event")) words.insert(event.substr(0, event.find(' ')));
  }
  CHECK(statuses.size() == 13);
  CHECK(words == std::set<std::string>{"aborted", "close", "data", "drain", "drained", "end", "fragment",
                                       "ignored", "ping", "pong", "violation"});
}

}  // namespace tp::test
