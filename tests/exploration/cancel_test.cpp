// A stop or a deadline against the completion of what it would end: nothing is lost and nothing comes twice.
#include <optional>

#include "support.hpp"

namespace tp::exploration {
namespace {

constexpr int numbers = 6;

int send_numbers(process& p) {
  auto reader = blocking::connect(p, "numbers", {.mode = transmission::message, .wait_for_server = true},
                                  {.within = 1min});
  if (!reader) return p.fail(reader.error());
  for (int i = 0; i < numbers; ++i) {
    p.sleep(1ms);
    if (auto sent = reader->send(std::to_string(i)); !sent) return p.fail(sent.error());
  }
  return reader->close({.within = 1min}) == delivery::delivered ? 0 : 1;
}

/// What every reader expects: the numbers, one after the other, and the end; calls may end before.
class expected {
 public:
  /// Whether there is more to come; anything unexpected throws.
  bool takes(const result<received>& got, const buffer& words) {
    if (!got) {
      if (got.error() != errc::cancelled && got.error() != errc::timed_out)
        throw std::runtime_error("failed");
      return true;
    }
    if (got->end) {
      if (next_ != numbers) throw std::runtime_error("some are missing");
      return false;
    }
    if (words.text() != std::to_string(next_++))
      throw std::runtime_error("lost or twice: " + std::string(words.text()));
    return true;
  }

 private:
  int next_ = 0;
};

/// Receives by a thread whose calls another one stops.
int read_with_stops(process& p) {
  auto served = p.bind("numbers", {.mode = transmission::message});
  if (!served) return p.fail(served.error());
  auto door = blocking::listen(p, *served);
  auto sender = door->accept();
  if (!sender) return p.fail(sender.error());
  std::optional<std::stop_source> current;
  bool over = false;
  p.start_thread("stops", [&](thread&) {
    for (int i = 0; i < numbers && !over; ++i) {
      p.sleep(1ms);
      if (current) current->request_stop();
    }
    return 0;
  });
  expected words;
  buffer into;
  do {
    current.emplace();
  } while (words.takes(sender->receive(into, {.unless = current->get_token()}), into));
  over = true;
  return p.join();
}

/// Receives by tasks, each call with a deadline at the moment in which the next number may come.
task<int> read_with_deadlines(runtime& rt) {
  auto served = rt.owner().bind("numbers", {.mode = transmission::message});
  if (!served) co_return rt.owner().fail(served.error());
  auto door = rt.listen(*served);
  auto sender = co_await door->accept().within(1min);
  if (!sender) co_return rt.owner().fail(sender.error());
  expected words;
  buffer into;
  while (words.takes(co_await sender->receive(into).within(1ms), into)) {
  }
  co_return 0;
}

/// Accepts by short calls, one after the other, while a client is on its way.
int accept_in_pieces(process& p) {
  auto served = p.bind("numbers", {.mode = transmission::message});
  if (!served) return p.fail(served.error());
  auto door = blocking::listen(p, *served);
  while (true) {
    auto sender = door->accept({.within = 1ms});
    if (!sender && sender.error() == errc::timed_out) continue;
    if (!sender) return p.fail(sender.error());
    expected words;
    buffer into;
    while (words.takes(sender->receive(into), into)) {
    }
    return 0;
  }
}

sim::scenario numbers_for(sim::program reader) {
  return [reader = std::move(reader)](sim::world& world) {
    const auto alice = world.user("alice");
    world.process("reader", alice, reader);
    world.process("sender", alice, send_numbers);
  };
}

int read_by_tasks(process& p) {
  return p.run([](runtime& rt) { return read_with_deadlines(rt); });
}

/// The smallest of the kind, without a handshake, so that all schedules can be tried.
void one_byte_and_one_stop(sim::world& world) {
  const auto alice = world.user("alice");
  world.process("reader", alice, [](process& p) {
    auto served = p.bind("byte", {.profile = profile::raw});
    auto door = blocking::listen(p, *served);
    auto sender = door->accept();
    if (!sender) return p.fail(sender.error());
    std::stop_source stop;
    p.start_thread("stops", [&](thread&) {
      stop.request_stop();
      return 0;
    });
    std::array<std::byte, 2> into{};
    auto got = sender->receive(into, {.unless = stop.get_token()});
    if (!got && got.error() != errc::cancelled) return p.fail(got.error());
    if (!got) got = sender->receive(into);
    const bool once = got && got->bytes == 1;
    got = sender->receive(into);
    return once && got && got->end ? p.join() : 1;
  });
  world.process("sender", alice, [](process& p) {
    auto reader = blocking::connect(p, "byte", {.profile = profile::raw, .wait_for_server = true});
    return reader && reader->send("x") ? 0 : 1;
  });
}

}  // namespace

TEST_CASE("a receive that another thread stops has its message, or the next receive has it") {
  explore_many(numbers_for(read_with_stops));
}

TEST_CASE("a receive whose deadline is the moment in which a message comes has it, or the next one has it") {
  explore_many(numbers_for(read_by_tasks));
}

TEST_CASE("a client that comes while accepts begin and end is accepted once") {
  explore_many(numbers_for(accept_in_pieces));
}

TEST_CASE("one stop against the one byte that comes: all schedules with two preemptions") {
  prove(one_byte_and_one_stop, 2, 500);
}

}  // namespace tp::exploration
