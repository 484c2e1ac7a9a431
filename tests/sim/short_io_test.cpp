// Reads and writes that move less than they could.
#include <catch2/catch.hpp>
#include <set>

#include "rig.hpp"
#include "threaded_case.hpp"
#include "twinpipe/sim/explore.hpp"
#include "twinpipe/twinpipe.hpp"

namespace tp::test {

using namespace backend;

namespace {

/// Answers lengths with what was written here, one after the other, and everything else with 0.
struct lengths final : sim::answerer {
  explicit lengths(std::vector<std::uint32_t> given) : answers(std::move(given)) {}
  std::uint32_t answer(std::uint32_t bound, sim::choice what) override {
    if (what != sim::choice::length && what != sim::choice::accept) return 0;
    if (next == answers.size()) return 0;
    REQUIRE(answers[next] < bound);
    return answers[next++];
  }
  std::vector<std::uint32_t> answers;
  std::size_t next = 0;
};

constexpr std::uint32_t all = 0, one = 1, any = 2, beside_header = 3;

}  // namespace

TEST_CASE("a short read is likely to end one byte before or behind the header of a frame") {
  duplex pair;
  lengths chosen({beside_header, 0, beside_header, 1, all});
  duplex::put(*pair.near, "0123456789abcdefghij");
  pair.world.answer_with(&chosen);
  pair.world.short_io();
  CHECK(pair.take(*pair.far) == "0123456");
  CHECK(pair.take(*pair.far) == "789abcdef");
  CHECK(pair.take(*pair.far) == "ghij");
  pair.world.answer_with(nullptr);
}

TEST_CASE("a short read takes all, one, or any number of the bytes that are there") {
  duplex pair;
  lengths chosen({all, one, any, 3, all});
  duplex::put(*pair.near, "0123456789");
  pair.world.answer_with(&chosen);
  pair.world.short_io();
  CHECK(pair.take(*pair.far, 2) == "01");
  CHECK(pair.take(*pair.far) == "2");
  CHECK(pair.take(*pair.far) == "3456");  // three less than there were
  CHECK(pair.take(*pair.far) == "789");
  CHECK(pair.take(*pair.far) == "nothing");
  pair.world.answer_with(nullptr);
}

TEST_CASE("a write that is accepted in parts goes on by itself, and arrives whole") {
  duplex pair;
  lengths chosen({any, 7, one, any, 3});
  pair.world.answer_with(&chosen);
  pair.world.short_io();
  writing text("0123456789");
  REQUIRE(pair.near->write(text) == start::pending);
  CHECK(text.whole.size() == 7);
  CHECK(pair.client.system->turn(never) == turn_result::progressed);
  CHECK(chosen.next == 5);
  CHECK(text.code() == errc::none);
  CHECK(text.n == 10);
  CHECK(pair.take(*pair.far) == "0123456789");
  pair.world.answer_with(nullptr);
}

TEST_CASE("a write that ends between two parts says how much went, and no more does") {
  duplex pair;
  lengths chosen({any, 7});
  pair.world.answer_with(&chosen);
  pair.world.short_io();
  writing text("0123456789");
  REQUIRE(pair.near->write(text) == start::pending);
  pair.near->close();
  pair.client.poll();
  CHECK(text.code() == errc::closed);
  CHECK(text.n == 3);
  CHECK(pair.take(*pair.far) == "012");
  pair.world.answer_with(nullptr);
}

TEST_CASE("without short_io lengths are no choice") {
  duplex pair;
  lengths chosen({one, one});
  pair.world.answer_with(&chosen);
  duplex::put(*pair.near, "0123456789");
  CHECK(pair.take(*pair.far) == "0123456789");
  CHECK(chosen.next == 0);
  pair.world.answer_with(nullptr);
}

}  // namespace tp::test

namespace tp::programs {

THREADED_TEST_CASE("an exploration with short_io sees writes arrive in parts, one without never does") {
  for (const bool is_short : {false, true}) {
    std::set<std::string> seen;
    sim::explore({.runs = 200, .short_io = is_short, .twice = true}, [&](sim::world& world) {
      const auto alice = world.user("alice");
      world.process("server", alice, [&](process& p) {
        auto served = p.bind("parts", {.profile = profile::raw});
        auto door = blocking::listen(p, *served);
        auto client = door->accept();
        buffer first;
        if (auto got = client->receive(first); !got) return p.fail(got.error());
        seen.insert(std::string(first.text()));
        return 0;
      });
      world.process("client", alice, [](process& p) {
        auto server = blocking::connect(p, "parts", {.profile = profile::raw, .wait_for_server = true});
        if (!server) return p.fail(server.error());
        static_cast<void>(server->send("abc"));
        return 0;
      });
    });
    CHECK(seen == (is_short ? std::set<std::string>{"a", "ab", "abc"} : std::set<std::string>{"abc"}));
  }
}

THREADED_TEST_CASE("a write whose deadline has passed goes on in parts as long as there is room") {
  sim::explore({.runs = 200, .short_io = true}, [](sim::world& world) {
    const auto alice = world.user("alice");
    world.process("server", alice, [](process& p) {
      auto served = p.bind("parts", {.profile = profile::raw});
      auto door = blocking::listen(p, *served);
      auto client = door->accept();
      for (buffer part;;) {
        if (auto got = client->receive(part); !got || got->end) return got ? 0 : p.fail(got.error());
      }
    });
    world.process("client", alice, [](process& p) {
      auto server = blocking::connect(p, "parts", {.profile = profile::raw, .wait_for_server = true});
      if (!server) return p.fail(server.error());
      auto sent = server->send("abcdefghij", {.within = duration{}});
      return sent && *sent == 10 ? 0 : 1;
    });
  });
}

}  // namespace tp::programs
