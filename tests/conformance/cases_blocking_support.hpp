// For cases of programs built of threads: parties that block, their threads, and blocking calls that must
// succeed. All of it is written with the process's own threads and time.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "conformance/cases_support.hpp"
#include "twinpipe/blocking.hpp"

namespace tp::conformance {

/// The body of a party that makes blocking calls and awaits nothing.
[[nodiscard]] inline world::body calling(std::function<void(party&)> what) {
  return [what = std::move(what)](party& p) -> task<void> {
    what(p);
    co_return;
  };
}

/// What p.bounded() is to an awaited operation.
[[nodiscard]] inline blocking::limits patient(const party& p) {
  return {.within = p.patience(), .unless = p.stop()};
}
[[nodiscard]] inline blocking::limits briefly(const party& p, duration d) {
  return {.within = d, .unless = p.stop()};
}

/// Until it holds; looks again and again, and ends with the world. A fault may be the reason that it never
/// does.
template <class Condition>
void wait_until(party& p, Condition holds, location at = location::current()) {
  const duration patience = p.in().has_fault() ? duration(2s) : p.patience();
  const time_point enough = deadline_after(p.self().now(), patience);
  while (!holds()) {
    if (p.stop().stop_requested()) throw unwound();
    if (p.self().now() > enough) p.fail(at, "waited in vain");
    p.self().sleep(1ms);
  }
}
inline void wait_until(party& p, const flag& set, location at = location::current()) {
  wait_until(p, [&] { return set.is_set(); }, at);
}

/// Runs each on a thread of the party's process, and returns when all have ended. If one fails, the party
/// does.
inline void run_threads(party& p, const std::vector<std::function<void()>>& bodies) {
  result<void> started;
  for (const auto& each : bodies) {
    started = p.self().start_thread("caller", [&each](thread&) {
      try {
        each();
      } catch (const unwound&) {
        return 1;
      }
      return 0;
    });
    if (!started) break;
  }
  // Those that did start may wait for the others.
  if (!started) p.in().note_failure(location::current(), "no thread: " + started.error().message());
  if (p.self().join() != 0 || !started) throw unwound();
}

// Calls that must succeed.

[[nodiscard]] inline blocking::connection connect_now(party& p, std::string_view name,
                                                      connect_options options = {},
                                                      location at = location::current()) {
  if (options.runtime_directory.empty()) options.runtime_directory = p.in().directory();
  return p.value(blocking::connect(p.self(), name, options, patient(p)), at);
}
[[nodiscard]] inline blocking::listener listen_now(party& p, const endpoint& served,
                                                   location at = location::current()) {
  return p.value(blocking::listen(p.self(), served), at);
}
[[nodiscard]] inline blocking::connection accept_now(party& p, blocking::listener& door,
                                                     location at = location::current()) {
  return p.value(door.accept(patient(p)), at);
}
inline void send_now(party& p, blocking::connection& to, std::string_view text,
                     location at = location::current()) {
  const std::size_t sent = p.value<std::size_t>(to.send(text, patient(p)), at);
  if (sent != text.size()) p.fail(at, "sent " + std::to_string(sent) + " of " + std::to_string(text.size()));
}
[[nodiscard]] inline std::string receive_now(party& p, blocking::connection& from,
                                             location at = location::current()) {
  buffer into;
  const received got = p.value(from.receive(into, patient(p)), at);
  if (got.end) p.fail(at, "the end came where data was expected");
  return std::string(into.text());
}
/// Exactly so many bytes, or one message of that size.
[[nodiscard]] inline std::string receive_now(party& p, blocking::connection& from, std::size_t count,
                                             location at = location::current()) {
  std::string all;
  while (all.size() < count) all += receive_now(p, from, at);
  return all;
}
/// All until the end.
[[nodiscard]] inline std::string receive_rest_now(party& p, blocking::connection& from,
                                                  location at = location::current()) {
  std::string all;
  for (buffer b;;) {
    const received got = p.value(from.receive(b, patient(p)), at);
    if (got.end) return all;
    all += b.text();
  }
}

/// A server and a client, one of them or both with a blocking connection.
struct meeting {
  using half = std::function<void(party&, blocking::connection&)>;

  meeting(world& in, pair_options how) : bound(in), name(in.fresh_name()), options(std::move(how)) {}

  flag bound;
  const std::string name;
  const pair_options options;
};

inline void blocking_server(world& w, const std::shared_ptr<meeting>& where, meeting::half body) {
  w.party("blocking server", calling([=](party& p) {
            const endpoint served = p.bind(where->name, where->options.server);
            blocking::listener door = listen_now(p, served);
            where->bound.set();
            blocking::connection made = accept_now(p, door);
            body(p, made);
          }));
}
inline void blocking_client(world& w, const std::shared_ptr<meeting>& where, meeting::half body) {
  w.party("blocking client", calling([=](party& p) {
            wait_until(p, where->bound);
            blocking::connection made = connect_now(p, where->name, where->options.client);
            body(p, made);
          }));
}
inline void awaiting_server(world& w, const std::shared_ptr<meeting>& where, world::half body) {
  w.party("server", [=](party& p) -> task<void> {
    auto [served, door] = p.serve(where->bound, where->name, where->options.server);
    connection made = co_await p.accept(door);
    co_await body(p, made);
  });
}
inline void awaiting_client(world& w, const std::shared_ptr<meeting>& where, world::half body) {
  w.party("client", [=](party& p) -> task<void> {
    co_await p.wait(where->bound);
    connection made = co_await p.connect(where->name, where->options.client);
    co_await body(p, made);
  });
}

}  // namespace tp::conformance
