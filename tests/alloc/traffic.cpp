// The kinds of traffic, and how two sides meet for it.
#include "alloc/traffic.hpp"

#include <array>
#include <coroutine>
#include <optional>
#include <stop_token>

#include "alloc/counter.hpp"
#include "fatal.hpp"
#include "twinpipe/task_group.hpp"

namespace tp::test {

using namespace std::chrono_literals;

namespace {

constexpr std::size_t small = 64, large = 65536, more_than_fits = 524288;

/// The coroutines of this program must not fail.
template <class Result>
auto sure(Result outcome) {
  if (!outcome) detail::fatal(outcome.error().message());
  if constexpr (!std::is_void_v<typename Result::value_type>) return std::move(*outcome);
}

task<void> fill(connection& c, std::span<std::byte> into) {
  while (!into.empty()) into = into.subspan(sure(co_await c.receive(into)).bytes);
}

task<void> send_first(connection& c, meter& rounds, std::size_t size) {
  std::vector<std::byte> bytes(size);
  while (rounds.next()) {
    sure(co_await c.send(bytes));
    co_await fill(c, bytes);
  }
}
task<void> receive_first(connection& c, meter& rounds, std::size_t size) {
  std::vector<std::byte> bytes(size);
  while (rounds.next()) {
    co_await fill(c, bytes);
    sure(co_await c.send(bytes));
  }
}

/// Into a buffer; without messages it takes several receives.
task<void> take(connection& c, buffer& into, std::size_t size) {
  for (std::size_t got = 0; got < size; got += into.size()) sure(co_await c.receive(into));
}
task<void> send_first_buffered(connection& c, meter& rounds, std::size_t size) {
  const std::vector<std::byte> bytes(size);
  buffer into;
  while (rounds.next()) {
    sure(co_await c.send(bytes));
    co_await take(c, into, size);
  }
}
task<void> receive_first_buffered(connection& c, meter& rounds, std::size_t size) {
  const std::vector<std::byte> bytes(size);
  buffer into;
  while (rounds.next()) {
    co_await take(c, into, size);
    sure(co_await c.send(bytes));
  }
}

task<void> send_first_stoppable(connection& c, meter& rounds) {
  std::array<std::byte, small> bytes{};
  const std::stop_source source;
  while (rounds.next()) {
    sure(co_await c.send(bytes).within(10s).unless(source.get_token()));
    for (std::size_t got = 0; got < small;)
      got += sure(co_await c.receive(std::span(bytes).subspan(got)).within(10s).unless(source.get_token()))
                 .bytes;
  }
}

/// Holds coroutines until it is opened.
struct gate {
  std::vector<std::coroutine_handle<>> held;
  [[nodiscard]] bool await_ready() const noexcept { return false; }
  void await_suspend(std::coroutine_handle<> coroutine) { held.push_back(coroutine); }
  void await_resume() const noexcept {}
};

task<void> send_part(connection& c, std::span<const std::byte> bytes, gate* instead) {
  auto send = c.send(bytes);
  if (instead != nullptr) {
    co_await *instead;
  } else {
    sure(co_await std::move(send));
  }
}
/// Several sends at once, of which some have to wait for room: how many is chance, so before it counts all of
/// them wait once, and the first is more than the other side takes before it has woken.
constexpr int at_once = 8;
task<void> send_several(connection& c, meter& rounds) {
  const std::vector<std::byte> bytes(large), too_many(more_than_fits);
  std::array<std::byte, 1> answer{};
  task_group group;
  gate all;
  for (int i = 0; i < at_once; ++i) group.start(send_part(c, bytes, &all));
  for (const auto each : all.held) each.resume();
  sure(co_await group.join());
  group.start(send_part(c, too_many, nullptr));
  for (int i = 0; i < at_once; ++i) group.start(send_part(c, bytes, nullptr));
  sure(co_await group.join());
  while (rounds.next()) {
    for (int i = 0; i < at_once; ++i) group.start(send_part(c, bytes, nullptr));
    sure(co_await group.join());
    co_await fill(c, answer);
  }
}
task<void> receive_several(connection& c, meter& rounds) {
  std::vector<std::byte> bytes(at_once * large), first(more_than_fits + bytes.size());
  const std::array<std::byte, 1> answer{};
  co_await fill(c, first);
  while (rounds.next()) {
    co_await fill(c, bytes);
    sure(co_await c.send(answer));
  }
}

task<void> send_and_drain(connection& c, meter& rounds) {
  std::array<std::byte, small> bytes{};
  while (rounds.next()) {
    sure(co_await c.send(bytes));
    sure(co_await c.drain());
  }
}
task<void> receive_all(connection& c, meter& rounds) {
  std::array<std::byte, small> bytes{};
  while (rounds.next()) co_await fill(c, bytes);
  // The answer to the last drain goes while somebody receives.
  static_cast<void>(co_await c.receive(bytes));
}

[[nodiscard]] part of_size(task<void> (*f)(connection&, meter&, std::size_t), std::size_t size) {
  return [f, size](connection& c, meter& rounds) { return f(c, rounds, size); };
}

}  // namespace

std::vector<traffic> all_traffic() {
  return {
      {"64 bytes to and fro", of_size(send_first, small), of_size(receive_first, small)},
      {"64 KiB to and fro", of_size(send_first, large), of_size(receive_first, large), true},
      {"64 bytes into a buffer", of_size(send_first_buffered, small), of_size(receive_first_buffered, small)},
      {"64 KiB into a buffer", of_size(send_first_buffered, large), of_size(receive_first_buffered, large),
       true},
      {"deadlines and stop tokens", send_first_stoppable, of_size(receive_first, small)},
      {"sends that wait together", send_several, receive_several, true},
      {"drains", send_and_drain, receive_all, false, true},
  };
}

endpoint_options options_of_server(const arrangement& over) {
  endpoint_options options;
  options.mode = over.mode;
  options.profile = over.how;
  options.framed = over.how == profile::native && over.mode == transmission::byte && over.framed;
  return options;
}
connect_options options_of_client(const arrangement& over) {
  connect_options options;
  options.mode = over.mode;
  options.profile = over.how;
  options.framed = options_of_server(over).framed;
  return options;
}

namespace {

task<void> serve(runtime& rt, endpoint at, const traffic& what, meter rounds) {
  listener door = sure(rt.listen(at));
  connection client = sure(co_await door.accept());
  co_await what.server(client, rounds);
}

task<long> call(runtime& rt, const char* name, const arrangement& over, const traffic& what, meter rounds) {
  connection server = sure(co_await rt.connect(name, options_of_client(over)).within(10s));
  co_await what.client(server, rounds);
  co_return rounds.result();
}

task<long> both(runtime& rt, endpoint at, const arrangement& over, const traffic& what, meter rounds) {
  task_group server;
  server.start(serve(rt, at, what, rounds));
  const long made = co_await call(rt, "counted", over, what, rounds);
  sure(co_await server.join());
  co_return made;
}

}  // namespace

bool meter::next() noexcept {
  if (left_ == counted_ + 1) before_ = allocations();
  if (left_ == 1) result_ = allocations() - before_;  // in the last round the other side may have ended
  return left_-- > 0;
}

long allocations_of(process& self, meeting where, const arrangement& over, const traffic& what,
                    meter rounds) {
  const endpoint at = sure(self.bind("counted", options_of_server(over)));
  if (where == meeting::two_threads) {
    sure(self.start_thread("server", [&](thread&) {
      const auto rt = sure(runtime::create(self));
      rt->run(serve(*rt, at, what, rounds));
      return 0;
    }));
  }
  const auto rt = sure(runtime::create(self));
  const long made = where == meeting::one_runtime ? rt->run(both(*rt, at, over, what, rounds))
                                                  : rt->run(call(*rt, "counted", over, what, rounds));
  static_cast<void>(self.join());
  return made;
}

}  // namespace tp::test
