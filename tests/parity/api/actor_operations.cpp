// What waits: connections, and what goes over them.
#include <algorithm>
#include <string>
#include <utility>

#include "actor.hpp"

namespace tp::test::parity::api {

namespace {

connect_options options_of(const manner& m, const std::string& folder) {
  return {.mode = m.how == style::message ? transmission::message : transmission::byte,
          .direction = m.way,
          .level = m.level,
          .expected_server = m.trust,
          .wait_for_server = m.waits,
          .framed = m.how == style::framed,
          .max_message = m.max_message,
          .max_queued_bytes = m.max_queued,
          .runtime_directory = folder};
}

}  // namespace

template <class R>
awaitable<R> actor::bounded(awaitable<R> what, const step& s) {
  if (s.bound == limit::soon) static_cast<void>(std::move(what).within(soon));
  if (s.bound == limit::ample) static_cast<void>(std::move(what).within(std::chrono::minutes(1)));
  static_cast<void>(std::move(what).unless(stops_.at(s.op).source.get_token()));
  return what;
}

task<completion> actor::begun(step s) {
  if (s.what == verb::connect) co_return co_await connect(s);
  if (s.what == verb::accept) co_return co_await accept(s);
  if (s.what == verb::receive_all) co_return co_await receive_all(s);
  if (receives(s.what)) co_return co_await receive(s);
  line& on = *find(s.at);
  if (s.what == verb::send) co_return co_await send(on, s);
  co_return co_await end(on, s);
}

task<completion> actor::connect(step s) {
  const std::string& folder = where_.folders.at(std::to_underlying(where_.servers.at(s.at)));
  const connect_options how = options_of(s.with, folder);
  auto made = co_await bounded(runtime_->connect(where_.names.at(s.at), how), s);
  co_return met(s, std::move(made));
}

task<completion> actor::accept(step s) {
  auto made = co_await bounded(served_.at(s.at).listener.accept(), s);
  co_return met(s, std::move(made));
}

completion actor::met(const step& s, result<connection> made) {
  completion c{.what = s.what};
  if (!made) {
    c.code = made.error().code();
    return c;
  }
  const auto uid = made->peer().uid;
  for (std::uint32_t i = 0; i < persons; ++i) {
    if (uid.known() && where_.uids.at(i) == uid.value) c.peer = i;
  }
  c.level = made->level();
  c.id = made->id();
  lines_.emplace(s.op, line{.connection = std::move(*made), .how = s.with.how});
  return c;
}

// What is sent must stay where it is until the send has ended, whatever becomes of the connection.
task<completion> actor::send(line& l, step s) {
  completion c{.what = s.what};
  std::vector<std::byte> bytes(s.n);
  for (std::size_t i = 0; i < bytes.size(); ++i) bytes[i] = payload(s.op, i);
  const std::span<const std::byte> all(bytes);
  auto sent = co_await bounded(l.connection.send(all), s);
  if (sent) {
    c.n = *sent;
  } else {
    c.code = sent.error().code();
  }
  co_return c;
}

void actor::took(line& l, std::span<const std::byte> bytes, const received& got, completion& c) {
  for (const std::byte each : bytes.first(got.bytes)) l.hash = stirred(l.hash, each);
  l.total += got.bytes;
  c.n += got.bytes;
  c.complete = got.complete;
  c.end = got.end;
  c.discarded = got.discarded;
  c.total = l.total;
  c.data = l.hash;
  if (l.how == style::message && got.complete) l.total = l.hash = 0;
}

task<completion> actor::receive(step s) {
  completion c{.what = s.what};
  std::vector<std::byte> room(s.what == verb::receive ? s.n : 0);
  buffer grown;
  const std::span<std::byte> into(room);
  connection& from = find(s.at)->connection;
  // One await of one awaitable: g++ 12 destroys what a conditional operator yields twice.
  auto pending = s.what == verb::receive ? from.receive(into) : from.receive(grown);
  auto got = co_await bounded(std::move(pending), s);
  line* const on = find(s.at);
  if (!got) {
    c.code = got.error().code();
    if (on != nullptr && c.code == errc::message_aborted) on->total = on->hash = 0;
  } else if (on != nullptr) {
    took(*on, s.what == verb::receive ? std::span<const std::byte>(room) : grown.bytes(), *got, c);
  }
  co_return c;
}

task<completion> actor::receive_all(step s) {
  completion c{.what = s.what};
  for (std::size_t turns = 0; c.n < s.n; ++turns) {
    line* const on = find(s.at);
    if (on == nullptr) {
      c.code = errc::closed;
      co_return c;
    }
    std::vector<std::byte> room(std::min<std::size_t>(s.n - c.n, 1 + (turns * 7919 + s.op * 613) % 70'000));
    const std::span<std::byte> into(room);
    auto got = co_await bounded(on->connection.receive(into), s);
    if (!got) c.code = got.error().code();
    line* const still = find(s.at);
    if (got && still != nullptr) took(*still, room, *got, c);
    if (!got || got->end || still == nullptr) co_return c;
  }
  co_return c;
}

task<completion> actor::end(line& l, step s) {
  completion c{.what = s.what};
  if (s.what == verb::close) {
    auto closed = co_await bounded(l.connection.close(), s);
    if (closed) {
      c.delivered = *closed;
    } else {
      c.code = closed.error().code();
    }
    co_return c;
  }
  auto pending = s.what == verb::drain ? l.connection.drain() : l.connection.shutdown();
  auto done = co_await bounded(std::move(pending), s);
  if (!done) c.code = done.error().code();
  co_return c;
}

}  // namespace tp::test::parity::api
