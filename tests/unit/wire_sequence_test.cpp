// Every type of frame at every moment of a connection: one table says which are refused.
#include <catch2/catch.hpp>
#include <string>

#include "wire_support.hpp"

namespace tp::test {

using wire::frame_type;

namespace {

/// What a peer has sent before the frame in question.
struct moment {
  std::string name;
  transmission mode;
  byte_vector before;
};

std::vector<moment> moments() {
  const auto fragment = frame(frame_type::data, "ab", wire::flag_more);
  auto aborted = fragment;
  append(aborted, frame(frame_type::abort_message));
  auto finished = fragment;
  append(finished, frame(frame_type::data, "cd"));
  return {{"at the start", transmission::message, {}},
          {"after a message", transmission::message, finished},
          {"after an aborted message", transmission::message, aborted},
          {"inside a message", transmission::message, fragment},
          {"after the end", transmission::message, frame(frame_type::end)},
          {"at the start, bytes", transmission::byte, {}},
          {"after data, bytes", transmission::byte, frame(frame_type::data, "ab")},
          {"after the end, bytes", transmission::byte, frame(frame_type::end)}};
}

/// A frame, and for each moment in order whether it is taken (.) or refused (x).
struct row {
  std::string name;
  byte_vector bytes;
  std::string allowed;
};

std::vector<row> rows() {
  const std::string token = "12345678";
  return {{"data", frame(frame_type::data, "x"), "....x..x"},
          {"empty data", frame(frame_type::data), "....xxxx"},
          {"fragment", frame(frame_type::data, "x", wire::flag_more), "....xxxx"},
          {"empty fragment", frame(frame_type::data, "", wire::flag_more), "xxxxxxxx"},
          {"end", frame(frame_type::end), "...xx..x"},
          {"drain", frame(frame_type::drain, token), "........"},
          {"drained", frame(frame_type::drained, token), "........"},
          {"ping", frame(frame_type::ping, token), "........"},
          {"pong", frame(frame_type::pong, token), "........"},
          {"close", frame(frame_type::close, "xx"), "........"},
          {"close with a reason", frame(frame_type::close, "xxbye"), "........"},
          {"abort", frame(frame_type::abort_message), "xxx.xxxx"},
          {"first unknown", frame(std::uint8_t{8}), "xxxxxxxx"},
          {"last unknown", frame(std::uint8_t{127}), "xxxxxxxx"},
          {"first ignorable", frame(std::uint8_t{128}, bytes_of("x")), "........"},
          {"last ignorable", frame(std::uint8_t{255}), "........"}};
}

}  // namespace

TEST_CASE("every frame is taken or refused at every moment as the table says") {
  const auto all = moments();
  for (const auto& r : rows()) {
    REQUIRE(r.allowed.size() == all.size());
    for (std::size_t i = 0; i < all.size(); ++i) {
      INFO(r.name << ' ' << all[i].name);
      frame_log log(all[i].mode, 100);
      log.feed(all[i].before);
      REQUIRE_FALSE(log.refused());
      const auto events = log.events().size();
      log.feed(r.bytes);
      CHECK(log.refused() == (r.allowed[i] == 'x'));
      REQUIRE(log.events().size() == events + 1);
      if (log.refused()) CHECK(log.events().back() == "violation protocol_error");
    }
  }
}

TEST_CASE("a frame that is taken between two fragments leaves the message whole") {
  for (const auto& r : rows()) {
    if (r.name.find("data") != std::string::npos || r.name == "fragment" || r.allowed[3] == 'x' ||
        r.name == "abort") {
      continue;
    }
    INFO(r.name);
    frame_log log(transmission::message, 4);
    log.feed(frame(frame_type::data, "ab", wire::flag_more));
    log.feed(r.bytes);
    CHECK(log.parser().inside_message());
    log.feed(frame(frame_type::data, "cd"));
    CHECK_FALSE(log.refused());
    CHECK(log.parser().announced() == 4);
    CHECK_FALSE(log.parser().inside_message());
  }
}

TEST_CASE("a frame that is taken after the end does not reopen the direction") {
  for (const auto& r : rows()) {
    if (r.allowed[4] == 'x') continue;
    INFO(r.name);
    frame_log log(transmission::message, 100);
    log.feed(frame(frame_type::end));
    log.feed(r.bytes);
    REQUIRE_FALSE(log.refused());
    log.feed(frame(frame_type::data, "x"));
    CHECK(log.refused());
  }
}

}  // namespace tp::test
