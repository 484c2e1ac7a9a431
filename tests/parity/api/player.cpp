// What an actor does with names and connections, by either interface.
#include <algorithm>
#include <string>
#include <utility>

#include "actor.hpp"
#include "options.hpp"
#include "words.hpp"

namespace tp::test::parity::api {

namespace {

template <class Words>
class player final : public actor {
 public:
  player(tp::process& home, const setting& where) : actor(home, where) {}
  ~player() override { leave(); }

 private:
  using connection = Words::connection;
  struct served {
    tp::endpoint endpoint;
    Words::listener listener;
  };
  /// A connection, and what has come of the stream or message that it is receiving.
  struct line {
    player::connection connection;
    style how;
    std::uint64_t total = 0, hash = 0;
  };

  void at_once(const step& s, completion& c) override;
  task<completion> begun(step s) override;
  void finish() override {
    lines_.clear();
    served_.clear();
  }
  task<completion> bind(step s);
  void read_file(line& l, const step& s, completion& c);
  task<completion> connect(step s);
  task<completion> accept(step s);
  task<completion> send(line& l, step s);
  task<completion> receive(step s);
  task<completion> receive_all(step s);
  task<completion> end(line& l, step s);
  completion met(const step& s, result<connection> made);
  void took(line& l, std::span<const std::byte> bytes, const received& got, completion& c);
  [[nodiscard]] line* find(std::uint16_t op) {
    const auto found = lines_.find(op);
    return found == lines_.end() ? nullptr : &found->second;
  }

  std::map<std::uint16_t, served> served_;
  std::map<std::uint16_t, line> lines_;
};

template <class Words>
void player<Words>::at_once(const step& s, completion& c) {
  line* const on = find(s.at);
  switch (s.what) {
    case verb::unbind:
      return served_.at(s.at).endpoint.close();
    case verb::look: {
      const endpoint_statistics seen = served_.at(s.at).endpoint.statistics();
      c.n = seen.instances * 1'000'000 + seen.half_open * 10'000 + seen.admitted * 100 + seen.refused;
      return;
    }
    case verb::abort:
      return on->connection.abort();
    case verb::disconnect:
      return on->connection.disconnect();
    case verb::read_file:
      return read_file(*on, s, c);
    default:
      lines_.erase(s.at);  // verb::drop
  }
}

template <class Words>
void player<Words>::read_file(line& l, const step& s, completion& c) {
  const auto text =
      l.connection.run_as_client([&] { return home().files().read(where().files.at(s.n), 4096); });
  if (!text) {
    c.code = text.error().code();
    return;
  }
  c.n = text->size();
  for (const char each : *text) c.data = stirred(c.data, static_cast<std::byte>(each));
}

template <class Words>
task<completion> player<Words>::begun(step s) {
  if (s.what == verb::bind) co_return co_await bind(s);
  if (s.what == verb::connect) co_return co_await connect(s);
  if (s.what == verb::accept) co_return co_await accept(s);
  if (s.what == verb::receive_all) co_return co_await receive_all(s);
  if (receives(s.what)) co_return co_await receive(s);
  line& on = *find(s.at);
  if (s.what == verb::send) co_return co_await send(on, s);
  co_return co_await end(on, s);
}

template <class Words>
task<completion> player<Words>::bind(step s) {
  completion c{.what = s.what};
  auto bound = home().bind(where().names.at(s.at), endpoint_options_of(s.with, where(), folder_of(s.at)));
  if (!bound) {
    c.code = bound.error().code();
    co_return c;
  }
  auto heard = co_await Words::listen(loop(), *bound);
  if (!heard) {
    c.code = heard.error().code();
    co_return c;
  }
  served_.erase(s.at);
  served_.emplace(s.at, served{.endpoint = std::move(*bound), .listener = std::move(*heard)});
  co_return c;
}

template <class Words>
task<completion> player<Words>::connect(step s) {
  const connect_options how = connect_options_of(s.with, folder_of(s.at));
  auto made = co_await bounded(Words::connect(loop(), where().names.at(s.at), how), s);
  co_return met(s, std::move(made));
}

template <class Words>
task<completion> player<Words>::accept(step s) {
  auto made = co_await bounded(served_.at(s.at).listener.accept(), s);
  co_return met(s, std::move(made));
}

template <class Words>
completion player<Words>::met(const step& s, result<connection> made) {
  completion c{.what = s.what};
  if (!made) {
    c.code = made.error().code();
    return c;
  }
  const auto uid = made->peer().uid;
  for (std::uint32_t i = 0; i < persons; ++i) {
    if (uid.known() && where().uids.at(i) == uid.value) c.peer = i;
  }
  c.level = made->level();
  c.id = made->id();
  lines_.emplace(s.op, line{.connection = std::move(*made), .how = s.with.how});
  return c;
}

// What is sent must stay where it is until the send has ended, whatever becomes of the connection.
template <class Words>
task<completion> player<Words>::send(line& l, step s) {
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

template <class Words>
void player<Words>::took(line& l, std::span<const std::byte> bytes, const received& got, completion& c) {
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

template <class Words>
task<completion> player<Words>::receive(step s) {
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

template <class Words>
task<completion> player<Words>::receive_all(step s) {
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

template <class Words>
task<completion> player<Words>::end(line& l, step s) {
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

}  // namespace

std::unique_ptr<actor> make_actor(tp::process& home, const setting& where, bool blocking) {
  if (blocking) return std::make_unique<player<blocking_words>>(home, where);
  return std::make_unique<player<awaited>>(home, where);
}

}  // namespace tp::test::parity::api
