// twinpipe's blocking calls, in each mode, with and without what may end a wait.
#include "twinpipe/blocking.hpp"

#include <optional>

#include "contender.hpp"
#include "pair.hpp"
#include "twinpipe/run.hpp"
#include "twinpipe/thread.hpp"

namespace bench {
namespace {

using namespace std::chrono_literals;

struct blocking_variant {
  tp::transmission mode = tp::transmission::byte;
  tp::profile profile = tp::profile::native;
  bool framed = false;
  bool deadline = false;
  bool stop = false;
};

/// A connection and what each call on it is bounded by.
struct line {
  tp::blocking::connection on;
  tp::blocking::limits how;
};

template <class Result>
Result expect(Result got) {
  if (!got) give_up(got.error().message());
  return got;
}

void send(session& s, line& to) {
  s.stamp(s.outgoing());
  expect(to.on.send(s.outgoing(), to.how));
}

std::size_t receive_some(line& from, std::span<std::byte> into) {
  const auto got = expect(from.on.receive(into, from.how));
  if (got->end) give_up("the peer left too early");
  return got->bytes;
}

void receive(session& s, line& from) {
  std::span<std::byte> into = s.incoming();
  while (!into.empty()) into = into.subspan(receive_some(from, into));
  s.check(s.incoming());
}

void receive_part(session& s, line& from) {
  const std::size_t got = receive_some(from, s.incoming());
  s.check(s.incoming().first(got));
  s.arrived(got);
}

tp::blocking::listener listen(tp::process& p, session& s, const blocking_variant& v) {
  tp::endpoint_options options;
  options.mode = v.mode;
  options.profile = v.profile;
  options.framed = v.framed;
  const auto endpoint = expect(p.bind(s.work().path, options));
  auto listener = expect(tp::blocking::listen(p, *endpoint));
  s.listening();
  return std::move(*listener);
}

tp::blocking::limits limits_of(const blocking_variant& v, const std::stop_source& source) {
  tp::blocking::limits how;
  if (v.deadline) how.within = 30s;
  if (v.stop) how.unless = source.get_token();
  return how;
}

line accept(tp::blocking::listener& from, const tp::blocking::limits& how) {
  return {std::move(*expect(from.accept(how))), how};
}

line connect(tp::process& p, session& s, const blocking_variant& v, const tp::blocking::limits& how) {
  const tp::connect_options options{.mode = v.mode, .profile = v.profile, .framed = v.framed};
  return {std::move(*expect(tp::blocking::connect(p, s.work().path, options, how))), how};
}

void serve_from(tp::blocking::listener& listener, session& s, const blocking_variant& v) {
  const std::stop_source never_stopped;
  const tp::blocking::limits how = limits_of(v, never_stopped);
  const workload what = s.work().what;
  std::optional<line> peer;
  if (what != workload::connect) peer.emplace(accept(listener, how));
  for (std::uint64_t i = 0; !is_one_way(what) && i < s.work().total(); ++i) {
    s.step();
    if (what == workload::connect) peer.emplace(accept(listener, how));
    receive(s, *peer);
    send(s, *peer);
  }
  if (is_one_way(what)) {
    while (s.bytes_to_come() > 0) receive_part(s, *peer);
    expect(peer->on.send(s.outgoing().first(1)));
  }
  s.finish();
}

void serve_calls(tp::process& p, session& s, const blocking_variant& v) {
  tp::blocking::listener listener = listen(p, s, v);
  serve_from(listener, s, v);
}

void ask_calls(tp::process& p, session& s, const blocking_variant& v) {
  const std::stop_source never_stopped;
  const tp::blocking::limits how = limits_of(v, never_stopped);
  const workload what = s.work().what;
  std::optional<line> server;
  if (what != workload::connect) server.emplace(connect(p, s, v, how));
  for (std::uint64_t i = 0; i < s.work().total(); ++i) {
    s.step();
    if (what == workload::connect) server.emplace(connect(p, s, v, how));
    send(s, *server);
    if (!is_one_way(what)) receive(s, *server);
    if (what == workload::connect) server.reset();
  }
  if (is_one_way(what)) receive_some(*server, s.incoming());
  s.step();
  s.finish();
}

// A connect that shakes hands waits for its accept, on a thread of its own; the first is the client.
void meet(tp::process& p, session& server, session& client, const blocking_variant& v) {
  pin(1, session::side::client);
  tp::blocking::listener listener = listen(p, server, v);
  expect(p.start_thread("server", [&](tp::thread&) { return serve_from(listener, server, v), 0; }));
  ask_calls(p, client, v);
  p.join();
}

// One that doesn't is done before it.
void meet_alone(tp::process& p, session& server, session& client, const blocking_variant& v) {
  tp::blocking::listener listener = listen(p, server, v);
  for (std::uint64_t i = 0; i < client.work().total(); ++i) {
    line here = connect(p, client, v, {});
    line there = accept(listener, {});
    send(client, here);
    receive(server, there);
    send(server, there);
    receive(client, here);
  }
}

// Only the first meeting takes a second thread; what is sent fits into the socket.
void take_turns(tp::process& p, session& server, session& client, const blocking_variant& v) {
  const std::stop_source never_stopped;
  const tp::blocking::limits how = limits_of(v, never_stopped);
  tp::blocking::listener listener = listen(p, server, v);
  std::optional<line> there;
  expect(p.start_thread("accept", [&](tp::thread&) {
    there.emplace(accept(listener, how));
    return 0;
  }));
  line here = connect(p, client, v, how);
  p.join();
  for (std::uint64_t i = 0; i < client.work().total(); ++i) {
    client.step();
    send(client, here);
    if (is_one_way(client.work().what)) {
      const std::uint64_t left = server.bytes_to_come() - client.work().size;
      while (server.bytes_to_come() > left) receive_part(server, *there);
    } else {
      receive(server, *there);
      send(server, *there);
      receive(client, here);
    }
  }
}

template <const blocking_variant& v>
void serve_blocking(session& s) {
  tp::run([&](tp::process& p) { return serve_calls(p, s, v), 0; });
}

template <const blocking_variant& v>
void ask_blocking(session& s) {
  tp::run([&](tp::process& p) { return ask_calls(p, s, v), 0; });
}

template <const blocking_variant& v>
void alone_blocking(session& server, session& client) {
  const auto meeting = v.profile == tp::profile::raw ? meet_alone : meet;
  const auto work = client.work().what == workload::connect ? meeting : take_turns;
  tp::run([&](tp::process& p) { return work(p, server, client, v), 0; });
}

constexpr blocking_variant bytes{};
constexpr blocking_variant with_deadline{.deadline = true};
constexpr blocking_variant with_stop{.stop = true};
constexpr blocking_variant with_frames{.framed = true};
constexpr blocking_variant messages{.mode = tp::transmission::message};
constexpr blocking_variant plain{.profile = tp::profile::raw};

template <const blocking_variant& v>
constexpr contender named(std::string_view name) {
  return {name, serve_blocking<v>, ask_blocking<v>, alone_blocking<v>};
}

constexpr contender by_blocking_calls[] = {
    named<bytes>("blocking.byte"),       named<with_deadline>("blocking.deadline"),
    named<with_stop>("blocking.stop"),   named<with_frames>("blocking.framed"),
    named<messages>("blocking.message"), named<plain>("blocking.raw"),
};

}  // namespace

std::span<const contender> blocking_contenders() {
  return by_blocking_calls;
}

}  // namespace bench
