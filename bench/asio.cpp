// Boost.Asio's C++20 coroutines, as its documentation shows them: one write a message.
#include <utility>  // before Asio: its 1.74 uses std::exchange without it

#include <boost/asio/buffer.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <boost/asio/read.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>

#include "contender.hpp"

namespace bench {
namespace {

namespace asio = boost::asio;
using local = asio::local::stream_protocol;
using asio::use_awaitable;

constexpr int one_thread = 1;  // so the context needs no locks

asio::mutable_buffer buffer_of(std::span<std::byte> bytes) {
  return {bytes.data(), bytes.size()};
}

asio::awaitable<void> asio_answer(session& s, local::socket& peer, std::uint64_t rounds, bool steps) {
  for (std::uint64_t i = 0; i < rounds; ++i) {
    if (steps) s.step();
    co_await asio::async_read(peer, buffer_of(s.incoming()), use_awaitable);
    s.check(s.incoming());
    s.stamp(s.outgoing());
    co_await asio::async_write(peer, buffer_of(s.outgoing()), use_awaitable);
  }
}

asio::awaitable<void> asio_ask(session& s, local::socket& server, std::uint64_t rounds, bool steps) {
  for (std::uint64_t i = 0; i < rounds; ++i) {
    if (steps) s.step();
    s.stamp(s.outgoing());
    co_await asio::async_write(server, buffer_of(s.outgoing()), use_awaitable);
    co_await asio::async_read(server, buffer_of(s.incoming()), use_awaitable);
    s.check(s.incoming());
  }
}

asio::awaitable<void> asio_drain(session& s, local::socket& peer) {
  while (s.bytes_to_come() > 0) {
    const std::size_t got = co_await peer.async_read_some(buffer_of(s.incoming()), use_awaitable);
    s.check(s.incoming().first(got));
    s.arrived(got);
  }
  co_await asio::async_write(peer, buffer_of(s.outgoing().first(1)), use_awaitable);
}

asio::awaitable<void> asio_fill(session& s, local::socket& server) {
  for (std::uint64_t i = 0; i < s.work().total(); ++i) {
    s.step();
    s.stamp(s.outgoing());
    co_await asio::async_write(server, buffer_of(s.outgoing()), use_awaitable);
  }
  co_await asio::async_read(server, buffer_of(s.incoming().first(1)), use_awaitable);
}

asio::awaitable<void> asio_server(session& s, local::acceptor& acceptor) {
  const job& work = s.work();
  if (work.what == workload::connect) {
    for (std::uint64_t i = 0; i < work.total(); ++i) {
      s.step();
      local::socket peer = co_await acceptor.async_accept(use_awaitable);
      co_await asio_answer(s, peer, 1, false);
    }
  } else {
    local::socket peer = co_await acceptor.async_accept(use_awaitable);
    if (work.what == workload::round_trip) {
      co_await asio_answer(s, peer, work.total(), true);
    } else {
      co_await asio_drain(s, peer);
    }
  }
  s.finish();
}

asio::awaitable<void> asio_client(session& s, asio::io_context& context) {
  const job& work = s.work();
  const local::endpoint place(work.path);
  const bool many = work.what == workload::connect;
  for (std::uint64_t i = 0; i < (many ? work.total() : 1); ++i) {
    if (many) s.step();
    local::socket server(context);
    co_await server.async_connect(place, use_awaitable);
    if (many) {
      co_await asio_ask(s, server, 1, false);
    } else if (work.what == workload::round_trip) {
      co_await asio_ask(s, server, work.total(), true);
    } else {
      co_await asio_fill(s, server);
    }
  }
  s.step();
  s.finish();
}

void fail_loudly(const std::exception_ptr& failure) {
  try {
    if (failure) std::rethrow_exception(failure);
  } catch (const std::exception& e) {
    give_up(e.what());
  }
}

void serve_asio(session& s) {
  asio::io_context context(one_thread);
  local::acceptor acceptor(context, local::endpoint(s.work().path));
  s.listening();
  asio::co_spawn(context, asio_server(s, acceptor), fail_loudly);
  context.run();
}

void ask_asio(session& s) {
  asio::io_context context(one_thread);
  asio::co_spawn(context, asio_client(s, context), fail_loudly);
  context.run();
}

constexpr contender by_asio[] = {{"asio", serve_asio, ask_asio}};

}  // namespace

std::span<const contender> asio_contenders() {
  return by_asio;
}

}  // namespace bench
