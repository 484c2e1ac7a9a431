// Blocking sockets by hand: nothing can be faster on them, so this is what ratios are taken of.
#include "contender.hpp"
#include "sockets.hpp"

namespace bench {
namespace {

void send_all(const descriptor& to, std::span<const std::byte> bytes) {
  while (!bytes.empty()) {
    const ssize_t went = ::send(to.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (went < 0) give_up_errno("send");
    bytes = bytes.subspan(static_cast<std::size_t>(went));
  }
}

std::size_t receive_some(const descriptor& from, std::span<std::byte> into) {
  const ssize_t got = ::recv(from.get(), into.data(), into.size(), 0);
  if (got < 0) give_up_errno("recv");
  if (got == 0) give_up("the peer left too early");
  return static_cast<std::size_t>(got);
}

void receive_all(const descriptor& from, std::span<std::byte> into) {
  while (!into.empty()) into = into.subspan(receive_some(from, into));
}

void send_stamped(session& s, const descriptor& to) {
  s.stamp(s.outgoing());
  send_all(to, s.outgoing());
}

void receive_checked(session& s, const descriptor& from) {
  receive_all(from, s.incoming());
  s.check(s.incoming());
}

void answer(session& s, const descriptor& peer) {
  receive_checked(s, peer);
  send_stamped(s, peer);
}

void drain_stream(session& s, const descriptor& peer) {
  while (s.bytes_to_come() > 0) {
    const std::size_t got = receive_some(peer, s.incoming());
    s.check(s.incoming().first(got));
    s.arrived(got);
  }
  send_all(peer, s.outgoing().first(1));
}

void raw_serve(session& s) {
  const job& work = s.work();
  const descriptor listener = listen_at(work.path);
  s.listening();
  if (work.what == workload::connect) {
    for (std::uint64_t i = 0; i < work.total(); ++i) {
      s.step();
      answer(s, accept_from(listener));
    }
    return s.finish();
  }
  const descriptor peer = accept_from(listener);
  if (work.what == workload::round_trip) {
    for (std::uint64_t i = 0; i < work.total(); ++i) {
      s.step();
      answer(s, peer);
    }
  } else {
    drain_stream(s, peer);
  }
  s.finish();
}

void exchange_once(session& s, const descriptor& server) {
  send_stamped(s, server);
  receive_checked(s, server);
}

void raw_ask(session& s) {
  const job& work = s.work();
  if (work.what == workload::connect) {
    for (std::uint64_t i = 0; i < work.total(); ++i) {
      s.step();
      exchange_once(s, connect_to(work.path));
    }
  } else if (const descriptor server = connect_to(work.path); work.what == workload::round_trip) {
    for (std::uint64_t i = 0; i < work.total(); ++i) {
      s.step();
      exchange_once(s, server);
    }
  } else {
    for (std::uint64_t i = 0; i < work.total(); ++i) {
      s.step();
      send_stamped(s, server);
    }
    receive_all(server, s.incoming().first(1));
  }
  s.step();
  s.finish();
}

constexpr contender by_raw[] = {{"raw", raw_serve, raw_ask}};

}  // namespace

std::span<const contender> raw_contenders() {
  return by_raw;
}

}  // namespace bench
