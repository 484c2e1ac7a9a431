// The exchange as hand-written callbacks over non-blocking sockets, in its fastest form: interest stays
// armed, bytes go straight between the socket and the session's memory, no call is made that is known to have
// nothing to do. What tells of readiness, libuv or epoll, is the template's argument:
//   struct Loop { struct watch { watch(Loop&, int fd, handler&); void arm(bool writable); }; void run(); void
//   stop(); };
#pragma once

#include <sys/socket.h>

#include <cerrno>
#include <memory>

#include "session.hpp"
#include "sockets.hpp"

namespace bench {

class handler {
 public:
  virtual void ready(bool readable, bool writable) = 0;

 protected:
  ~handler() = default;
};

/// Told when an exchange is over; may destroy it.
class exchange_owner {
 public:
  virtual void ended() = 0;

 protected:
  ~exchange_owner() = default;
};

/// `rounds` operations on one connection.
template <class Loop>
class exchange final : public handler {
 public:
  exchange(session& s, session::side side, std::uint64_t rounds, Loop& loop, descriptor on,
           exchange_owner& owner)
      : session_(s),
        client_(side == session::side::client),
        one_way_(is_one_way(s.work().what)),
        steps_(s.work().what != workload::connect),
        rounds_(rounds),
        size_(s.work().size),
        descriptor_(std::move(on)),
        owner_(owner),
        watch_(loop, descriptor_.get(), *this) {
    watch_.arm(false);
  }

  void begin() {
    if (client_ || !one_way_) next();
    if (client_) write_on();
  }

  void ready(bool readable, bool writable) override {
    if (readable) read_on();
    if (writable && !ended_) {
      if (sent_ < size_) {
        write_on();
      } else {
        watch_.arm(writable_ = false);
      }
    }
    if (ended_) owner_.ended();
  }

 private:
  void next() {
    if (steps_) session_.step();
    sent_ = client_ ? 0 : size_;
    got_ = 0;
    if (client_) session_.stamp(session_.outgoing());
  }

  void read_on() {
    if (!one_way_) return read_message();
    if (!client_) return read_stream();
    if (receive(session_.incoming().first(1)) == 1) end();
  }

  void read_message() {
    got_ += receive(session_.incoming().subspan(got_));
    if (got_ < size_) return;
    session_.check(session_.incoming());
    if (client_) return round_ended();
    session_.stamp(session_.outgoing());
    sent_ = 0;
    write_on();
  }

  // A read that fills its memory may have left something, a short one has not.
  void read_stream() {
    std::size_t got = 0;
    do {
      got = receive(session_.incoming());
      session_.check(session_.incoming().first(got));
      session_.arrived(got);
    } while (got == session_.incoming().size() && session_.bytes_to_come() > 0);
    if (session_.bytes_to_come() > 0) return;
    sent_ = size_ - 1;
    if (flush()) end();
  }

  void write_on() {
    while (flush()) {
      if (!client_) return round_ended();
      if (!one_way_) return;
      if (--rounds_ == 0) return;
      next();
    }
  }

  void round_ended() {
    if (--rounds_ == 0) return end();
    next();
    if (client_) write_on();
  }

  void end() {
    if (steps_ && client_) session_.step();
    ended_ = true;
  }

  std::size_t receive(std::span<std::byte> into) {
    const ssize_t got = ::recv(descriptor_.get(), into.data(), into.size(), 0);
    if (got < 0 && errno != EAGAIN) give_up_errno("recv");
    if (got == 0) give_up("the peer left too early");
    return got < 0 ? 0 : static_cast<std::size_t>(got);
  }

  // Whether all has gone; if not, the socket is full and tells when it isn't.
  bool flush() {
    const auto rest = session_.outgoing().subspan(sent_);
    const ssize_t went = ::send(descriptor_.get(), rest.data(), rest.size(), MSG_NOSIGNAL);
    if (went < 0 && errno != EAGAIN) give_up_errno("send");
    if (went > 0) sent_ += static_cast<std::size_t>(went);
    if (sent_ == size_) return true;
    if (!writable_) watch_.arm(writable_ = true);
    return false;
  }

  session& session_;
  const bool client_;
  const bool one_way_;
  const bool steps_;
  bool writable_ = false;
  bool ended_ = false;
  std::uint64_t rounds_;
  const std::size_t size_;
  std::size_t got_ = 0;
  std::size_t sent_ = 0;
  descriptor descriptor_;
  exchange_owner& owner_;
  Loop::watch watch_;
};

/// One connection after the other, each for one exchange: accepted by the server, made by the client.
template <class Loop>
class connection_series final : public handler, public exchange_owner {
 public:
  connection_series(session& s, session::side side, Loop& loop)
      : session_(s), side_(side), loop_(loop), left_(s.work().total()) {
    if (side == session::side::client) return;
    listener_ = listen_at(s.work().path, SOCK_NONBLOCK);
    watch_ = std::make_unique<typename Loop::watch>(loop, listener_.get(), *this);
    watch_->arm(false);
  }

  void connect() {
    session_.step();
    begin(connect_to(session_.work().path, SOCK_NONBLOCK));
  }

  void ready(bool, bool) override {
    session_.step();
    begin(accept_from(listener_, SOCK_NONBLOCK));
  }

  void ended() override {
    current_.reset();
    if (--left_ == 0) return loop_.stop();
    if (side_ == session::side::client) connect();
  }

 private:
  void begin(descriptor on) {
    current_ = std::make_unique<exchange<Loop>>(session_, side_, 1, loop_, std::move(on), *this);
    current_->begin();
  }

  session& session_;
  session::side side_;
  Loop& loop_;
  std::uint64_t left_;
  descriptor listener_{-1};
  std::unique_ptr<typename Loop::watch> watch_;
  std::unique_ptr<exchange<Loop>> current_;
};

/// Stops the loop when its one exchange has ended.
template <class Loop>
class stopper final : public exchange_owner {
 public:
  explicit stopper(Loop& loop) noexcept : loop_(loop) {}
  void ended() override { loop_.stop(); }

 private:
  Loop& loop_;
};

template <class Loop>
void run_exchange(session& s, session::side side, Loop& loop, descriptor on) {
  stopper<Loop> owner(loop);
  exchange<Loop> only(s, side, s.work().total(), loop, std::move(on), owner);
  only.begin();
  loop.run();
  s.finish();
}

template <class Loop>
void serve_by_hand(session& s) {
  Loop loop;
  if (s.work().what == workload::connect) {
    connection_series<Loop> all(s, session::side::server, loop);
    s.listening();
    loop.run();
    return s.finish();
  }
  const descriptor listener = listen_at(s.work().path);
  s.listening();
  run_exchange(s, session::side::server, loop, accept_from(listener, SOCK_NONBLOCK));
}

template <class Loop>
void ask_by_hand(session& s) {
  Loop loop;
  if (s.work().what != workload::connect)
    return run_exchange(s, session::side::client, loop, connect_to(s.work().path, SOCK_NONBLOCK));
  connection_series<Loop> all(s, session::side::client, loop);
  all.connect();
  loop.run();
  s.step();
  s.finish();
}

}  // namespace bench
