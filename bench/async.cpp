// twinpipe's coroutines, in each mode, on runtimes that sleep while they wait and on such that may spin.
#include "contender.hpp"
#include "twinpipe/twinpipe.hpp"

namespace bench {
namespace {

struct async_variant {
  tp::transmission mode = tp::transmission::byte;
  tp::profile profile = tp::profile::native;
  bool framed = false;
  tp::wait_strategy wait = tp::wait_strategy::sleep;
};

/// Sends that are pending at a time where many are.
constexpr std::size_t sends_at_a_time = 256;

template <class Result>
void must(const Result& got) {
  if (!got) give_up(got.error().message());
}

std::size_t some_bytes(const tp::result<tp::received>& got) {
  must(got);
  if (got->end) give_up("the peer left too early");
  return got->bytes;
}

tp::task<void> answer(session& s, tp::connection& peer, std::uint64_t rounds, bool steps) {
  for (std::uint64_t i = 0; i < rounds; ++i) {
    if (steps) s.step();
    std::span<std::byte> into = s.incoming();
    while (!into.empty()) into = into.subspan(some_bytes(co_await peer.receive(into)));
    s.check(s.incoming());
    s.stamp(s.outgoing());
    must(co_await peer.send(s.outgoing()));
  }
}

tp::task<void> ask(session& s, tp::connection& server, std::uint64_t rounds, bool steps) {
  for (std::uint64_t i = 0; i < rounds; ++i) {
    if (steps) s.step();
    s.stamp(s.outgoing());
    must(co_await server.send(s.outgoing()));
    std::span<std::byte> into = s.incoming();
    while (!into.empty()) into = into.subspan(some_bytes(co_await server.receive(into)));
    s.check(s.incoming());
  }
}

tp::task<void> drain_stream(session& s, tp::connection& peer) {
  while (s.bytes_to_come() > 0) {
    const std::size_t got = some_bytes(co_await peer.receive(s.incoming()));
    s.check(s.incoming().first(got));
    s.arrived(got);
  }
  must(co_await peer.send(s.outgoing().first(1)));
}

tp::task<void> fill_stream(session& s, tp::connection& server) {
  for (std::uint64_t i = 0; i < s.work().total(); ++i) {
    s.step();
    s.stamp(s.outgoing());
    must(co_await server.send(s.outgoing()));
  }
}

tp::task<void> send_share(session& s, tp::connection& server, std::uint64_t& left) {
  std::vector<std::byte> own(s.work().size);
  while (left > 0) {
    --left;
    s.step();
    s.stamp(own);
    must(co_await server.send(own));
  }
}

tp::task<void> fill_queue(session& s, tp::connection& server) {
  std::uint64_t left = s.work().total();
  tp::task_group senders;
  for (std::size_t i = 0; i < sends_at_a_time; ++i) senders.start(send_share(s, server, left));
  must(co_await senders.join());
}

tp::result<tp::listener> listen(tp::runtime& rt, const job& work, const async_variant& v) {
  tp::endpoint_options options;
  options.mode = v.mode;
  options.profile = v.profile;
  options.framed = v.framed;
  auto endpoint = rt.owner().bind(work.path, options);
  must(endpoint);
  return rt.listen(*endpoint);
}

tp::task<int> serve(tp::runtime& rt, session& s, const async_variant& v) {
  const job& work = s.work();
  auto listener = listen(rt, work, v);
  must(listener);
  s.listening();
  const bool many = work.what == workload::connect;
  for (std::uint64_t i = 0; i < (many ? work.total() : 1); ++i) {
    if (many) s.step();
    auto peer = co_await listener->accept();
    must(peer);
    if (many) {
      co_await answer(s, *peer, 1, false);
    } else if (work.what == workload::round_trip) {
      co_await answer(s, *peer, work.total(), true);
    } else {
      co_await drain_stream(s, *peer);
    }
  }
  s.finish();
  co_return 0;
}

tp::task<int> ask(tp::runtime& rt, session& s, const async_variant& v) {
  const job& work = s.work();
  const tp::connect_options options{.mode = v.mode, .profile = v.profile, .framed = v.framed};
  const bool many = work.what == workload::connect;
  for (std::uint64_t i = 0; i < (many ? work.total() : 1); ++i) {
    if (many) s.step();
    auto server = co_await rt.connect(work.path, options);
    must(server);
    if (many) {
      co_await ask(s, *server, 1, false);
    } else if (work.what == workload::round_trip) {
      co_await ask(s, *server, work.total(), true);
    } else {
      if (work.what == workload::queued) co_await fill_queue(s, *server);
      if (work.what == workload::stream) co_await fill_stream(s, *server);
      some_bytes(co_await server->receive(s.incoming()));
    }
  }
  s.step();
  s.finish();
  co_return 0;
}

template <class Main>
void run_on_runtime(const async_variant& v, Main main) {
  tp::run([&](tp::process& p) { return p.run(main, {.wait = v.wait}); });
}

template <const async_variant& v>
void serve_async(session& s) {
  run_on_runtime(v, [&](tp::runtime& rt) { return serve(rt, s, v); });
}

template <const async_variant& v>
void ask_async(session& s) {
  run_on_runtime(v, [&](tp::runtime& rt) { return ask(rt, s, v); });
}

tp::task<void> side_by_side(tp::task<int> side) {
  const int code = co_await std::move(side);
  if (code != 0) give_up("a side failed");
}

tp::task<int> both(tp::runtime& rt, session& server, session& client, const async_variant& v) {
  tp::task_group sides;
  sides.start(side_by_side(serve(rt, server, v)));
  sides.start(side_by_side(ask(rt, client, v)));
  must(co_await sides.join());
  co_return 0;
}

template <const async_variant& v>
void alone_async(session& server, session& client) {
  run_on_runtime(v, [&](tp::runtime& rt) { return both(rt, server, client, v); });
}

constexpr async_variant byte{};
constexpr async_variant framed{.framed = true};
constexpr async_variant message{.mode = tp::transmission::message};
constexpr async_variant raw_profile{.profile = tp::profile::raw};
constexpr async_variant adaptive{.wait = tp::wait_strategy::adaptive};

constexpr contender by_coroutines[] = {
    {"twin.byte", serve_async<byte>, ask_async<byte>, alone_async<byte>},
    {"twin.framed", serve_async<framed>, ask_async<framed>, alone_async<framed>},
    {"twin.message", serve_async<message>, ask_async<message>, alone_async<message>},
    {"twin.raw", serve_async<raw_profile>, ask_async<raw_profile>, alone_async<raw_profile>},
    {"twin.adaptive", serve_async<adaptive>, ask_async<adaptive>, alone_async<adaptive>},
};

}  // namespace

std::span<const contender> async_contenders() {
  return by_coroutines;
}

}  // namespace bench
