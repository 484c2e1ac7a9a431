// Memory that an operation uses is watched from its start to its end, all of it, however it ends: each time
// with a program that changes some of it.
#include <catch2/catch.hpp>

#include <functional>

#include "rig.hpp"
#include "threaded_case.hpp"
#include "twinpipe/sim/explore.hpp"
#include "twinpipe/twinpipe.hpp"

namespace tp::test {

using namespace backend;
using namespace std::chrono_literals;

namespace {

constexpr std::size_t too_large = 300'000;  ///< more than a connection holds

/// How an operation ends that has to wait.
struct ending {
  std::string_view how;
  std::function<void(duplex&, byte_stream&, op&)> happens;
};
const std::array endings{
    ending{"close", [](duplex&, byte_stream& at, op&) { at.close(); }},
    ending{"cancel", [](duplex&, byte_stream& at, op& o) { at.cancel(o); }},
    ending{"the death of the peer",
           [](duplex& pair, byte_stream&, op&) { pair.world.kill(*pair.server.process); }},
};

/// What the world says when the operation, which waits, has ended so, its memory changed by then.
std::string touched_at_seam(const ending& by, duplex& pair, op& o, std::byte& changed) {
  changed ^= std::byte{1};
  by.happens(pair, *pair.near, o);
  while (o.pending()) REQUIRE(pair.client.poll() == turn_result::progressed);
  return pair.world.failure();
}

}  // namespace

TEST_CASE("a change in the middle of a read's memory is found, however the read ends") {
  for (const auto& each : endings) {
    CAPTURE(each.how);
    for (const std::size_t at : {std::size_t{0}, too_large / 2 + 3, too_large - 1}) {
      duplex pair;
      reading op(too_large);
      REQUIRE(pair.near->read(op) == start::pending);
      CHECK_THAT(touched_at_seam(each, pair, op, op.bytes()[at]),
                 Catch::Contains("memory was changed while an operation used it: the read at connection"));
    }
  }
}

TEST_CASE("a change in the middle of what a write has still to send is found, however the write ends") {
  for (const auto& each : endings) {
    CAPTURE(each.how);
    for (const std::size_t at : {too_large - 70'001, too_large - 1}) {
      duplex pair;
      writing op(std::string(too_large, 'x'));
      REQUIRE(pair.near->write(op) == start::pending);
      CHECK_THAT(touched_at_seam(each, pair, op, reinterpret_cast<std::byte&>(op.data[at])),
                 Catch::Contains("memory was changed while an operation used it: the write at connection"));
    }
  }
}

TEST_CASE("memory in use that nobody changes is no failure, whatever is read and accepted of it meanwhile") {
  duplex pair;
  std::string text(too_large, ' ');
  for (std::size_t i = 0; i < text.size(); ++i) text[i] = static_cast<char>(i % 251);
  writing op(text);
  const_buffer parts[] = {op.whole.first(11), {}, op.whole.subspan(11, 4096), op.whole.subspan(4107)};
  op.buffers = parts;
  REQUIRE(pair.near->write(op) == start::pending);
  std::string got;
  for (std::size_t room = 1; got.size() < too_large; room = room * 5 % 9973 + 1) {
    got += pair.take(*pair.far, room);
    pair.client.poll();
  }
  CHECK(op.completions == 1);
  CHECK(got == text);
  CHECK(pair.world.failure() == "");
}

TEST_CASE("a read's memory is all its own again after its end") {
  duplex pair;
  reading op(too_large);
  REQUIRE(pair.near->read(op) == start::pending);
  REQUIRE(duplex::put(*pair.far, "x") == errc::none);
  while (op.pending()) REQUIRE(pair.client.poll() == turn_result::progressed);
  op.storage.assign(too_large, 'y');
  REQUIRE(pair.near->read(op) == start::pending);
  pair.near->close();
  while (op.pending()) REQUIRE(pair.client.poll() == turn_result::progressed);
  CHECK(pair.world.failure() == "");
}

}  // namespace tp::test

namespace tp::programs {

using namespace std::chrono_literals;

namespace {

/// Why a run fails of this program.
std::string why_touched(const sim::program& main) {
  try {
    sim::explore({.runs = 20}, [&](sim::world& world) {
      const auto alice = world.user("alice");
      world.process("server", alice, [](process& p) {
        auto served = p.bind("memory", {.profile = profile::raw});
        auto client = blocking::listen(p, *served)->accept();
        p.sleep(2ms);  // the client waits, and has changed its memory
        buffer into;
        if (!client->send("x")) return 1;
        while (true) {
          const auto got = client->receive(into);
          if (!got || got->end) return 0;
        }
      });
      world.process("client", alice, main);
    });
  } catch (const sim::exploration_failed& failed) {
    return failed.why();
  }
  return "";
}

/// While a thread does this with a connection, another one changes a byte after a moment.
sim::program changing(std::byte& changed, std::function<void(blocking::connection&)> use) {
  return [&changed, use](process& p) {
    auto to = blocking::connect(p, "memory", {.profile = profile::raw, .wait_for_server = true});
    p.start_thread("user", [&](thread&) { return use(*to), 0; });
    p.start_thread("scribbler", [&](thread&) {
      p.sleep(1ms);
      changed = ~changed;
      return 0;
    });
    return p.join();
  };
}

}  // namespace

THREADED_TEST_CASE("a read's memory that is changed while the read waits is found") {
  std::array<std::byte, 16> room{};
  const auto receive = [&](blocking::connection& at) { static_cast<void>(at.receive(room)); };
  CHECK_THAT(why_touched(changing(room[0], receive)),
             Catch::Contains("memory was changed while an operation used it: the read at connection"));
}

THREADED_TEST_CASE(
    "a read's memory that is changed while the read waits for nothing but its deadline is found") {
  std::vector<std::byte> room(50'000);
  const auto receive = [&](blocking::connection& at) {
    static_cast<void>(at.receive(room, {.within = 1500us}));
  };
  CHECK_THAT(why_touched(changing(room[20'000], receive)),
             Catch::Contains("memory was changed while an operation used it: the read at connection"));
}

THREADED_TEST_CASE("a write's memory that is changed while the write waits is found") {
  std::string large(1'000'000, 'a');
  const auto send = [&](blocking::connection& at) { static_cast<void>(at.send(large)); };
  CHECK_THAT(why_touched(changing(reinterpret_cast<std::byte&>(large[600'000]), send)),
             Catch::Contains("memory was changed while an operation used it: the write at connection"));
}

}  // namespace tp::programs
