// The streams at the ends of connections. What a connection is and does is the sockets' (unix_socket.hpp).
#include <algorithm>
#include <array>
#include <cassert>

#include "buffer_watch.hpp"
#include "kernel.hpp"
#include "text.hpp"
#include "twinpipe/backend/twin.hpp"
#include "wire/frame.hpp"

namespace tp::sim {

using namespace backend;

namespace {

/// What both kinds of streams are: a socket that tries, and is watched for what has to be waited for.
class socket_handle : public handle {
 public:
  socket_handle(process_ref process, socket_end end)
      : handle(std::move(process), end.number), end_(std::move(end)) {
    end_.socket->user = static_cast<handle*>(this);
  }
  ~socket_handle() override { check_told(); }
  void changed(std::uint8_t changes) noexcept override;
  [[nodiscard]] std::string describe() const override {
    return "connection " + std::to_string(number()) + " with pid " + std::to_string(end_.peer->pid.value);
  }
  [[nodiscard]] unix_socket* socket() noexcept override { return open() ? end_.socket : nullptr; }
  /// The kernel's part, which is no longer this object's.
  [[nodiscard]] const socket_end& take() noexcept {
    leave_use();
    give_away();
    return end_;
  }
  /// From here on it is one of its name's instances, until it ends.
  void come_into_use();

 protected:
  [[nodiscard]] detached_ptr detach_end() {
    return idle() && ended() == errc::none ? make_stream(process_, take()) : nullptr;
  }
  [[nodiscard]] const identity& other() const noexcept { return *end_.peer; }

 private:
  attempt_result attempt(op& o, kind what) noexcept override;
  void let_go() noexcept override;
  attempt_result read(read_op& o);
  attempt_result read_end(const read_op& o, std::size_t room);
  attempt_result write(write_op& o);
  attempt_result drain();
  attempt_result shutdown();
  attempt_result look(std::uint16_t bits, std::uint8_t changes);
  attempt_result wait_for_change(std::uint8_t changes);
  std::size_t choose_length(std::size_t most, choice what) {
    return world_.short_io && most > 1 ? choose_less(most, what) : most;
  }
  std::size_t choose_less(std::size_t most, choice what);
  void tell_others() noexcept { tell_changes(world_.sockets); }
  void check_told() noexcept;
  void report_untold_loss(std::string_view told_instead) noexcept {
    fail_run(world_, join("connection ", number(), ": its peer has thrown away what it was sent, and ",
                          told_instead, ", not a reset"));
  }
  void leave_use() noexcept {
    if (std::exchange(end_.in_use, false)) --end_.instances->now;
  }

  socket_end end_;
};

// Whoever still can't go on after this watches again.
void socket_handle::changed(std::uint8_t changes) noexcept {
  end_.socket->watch(end_.socket->watched() & static_cast<std::uint8_t>(~changes));
  kinds which = 0;
  if ((changes & wake::readable) != 0) which |= kinds_of(kind::read, kind::readable);
  if ((changes & wake::writable) != 0) which |= kinds_of(kind::write, kind::writable, kind::drain);
  wake(which);
}

attempt_result socket_handle::wait_for_change(std::uint8_t changes) {
  end_.socket->watch(end_.socket->watched() | changes);
  return {};
}

/// poll(2): of these bits, and of those that are always told.
attempt_result socket_handle::look(std::uint16_t bits, std::uint8_t changes) {
  if ((end_.socket->poll() & (bits | ready::err | ready::hup)) != 0) return errc::none;
  return wait_for_change(changes);
}

/// Of a read or write that could move as many: all, one, or any number alike; of a read also one byte less or
/// more than the header of a frame has.
std::size_t socket_handle::choose_less(std::size_t most, choice what) {
  constexpr std::size_t header = wire::frame_header_size;
  const bool may_be_header = what == choice::length && most > header + 1;
  const std::uint32_t how = time().choose(may_be_header ? 4 : 3, what);
  if (how == 3) return time().choose(2, what) == 0 ? header - 1 : header + 1;
  if (how == 2) return most - time().choose(most, what);
  return how == 0 ? most : 1;
}

// One span is the common case, which costs less by itself.
unix_socket::count receive(unix_socket& from, const read_op& o, std::size_t most) {
  if (o.spill.empty()) return from.recv(o.into.first(most));
  const std::array parts{o.into, o.spill};
  return from.recv(parts, most);
}

unix_socket::count send(unix_socket& into, const write_op& o, std::size_t most) {
  return o.buffers.size() == 1 ? into.send(o.buffers.front().first(most)) : into.send(o.buffers, most);
}

// No bytes are there: the same call says what else there is, and moves nothing.
attempt_result socket_handle::read_end(const read_op& o, std::size_t room) {
  const auto got = receive(*end_.socket, o, room);
  if (!got && got.error() == std::errc::resource_unavailable_try_again)
    return wait_for_change(wake::readable);
  if (!got) {
    end_.reset_told = true;
    end_.socket->loss_untold = false;
    return errc::connection_reset;
  }
  if (end_.socket->loss_untold) report_untold_loss("a reader is told the end");
  return errc::none;
}

attempt_result socket_handle::read(read_op& o) {
  const std::size_t room = o.into.size() + o.spill.size();
  if (room == 0) return look(ready::in, wake::readable);
  if (end_.socket->has_nothing()) return wait_for_change(wake::readable);
  const std::size_t there = end_.socket->inq();
  if (there == 0) [[unlikely]]
    return read_end(o, room);
  const auto got =
      receive(*end_.socket, o, choose_length(std::min<std::size_t>(room, there), choice::length));
  assert(got);
  o.n += *got;
  has_moved(kind::read, *got);
  end_.socket->account.delivered += static_cast<std::uint32_t>(*got);
  if (!end_.socket->account.balances(end_.socket->inq()))
    report_loss(*process_->world, *end_.socket, number(), false);
  tell_others();
  return errc::none;
}

/// The first so many bytes of them are done with.
void consume(std::span<const_buffer> buffers, std::size_t n) noexcept {
  for (const_buffer& each : buffers) {
    const std::size_t part = std::min(n, each.size());
    each = each.subspan(part);
    n -= part;
  }
}

attempt_result socket_handle::write(write_op& o) {
  std::size_t size = 0;
  for (const const_buffer& each : o.buffers) size += each.size();
  const std::size_t most = choose_length(size, choice::accept);
  const auto sent = send(*end_.socket, o, most);
  if (!sent && sent.error() == std::errc::resource_unavailable_try_again)
    return wait_for_change(wake::writable);
  if (!sent) return errc::broken_pipe;
  if ((o.twin.phase & phases::is_watched) != 0) unwatch_first(*sent, o);
  consume(o.buffers, *sent);
  o.n += *sent;
  has_moved(kind::write, *sent);
  if (*sent > 0) end_.socket->peer()->account.accepted += static_cast<std::uint32_t>(*sent);
  tell_others();
  if (*sent == size) return errc::none;
  if (*sent < most) return wait_for_change(wake::writable);
  go_on_soon();
  return {};
}

/// The charge is gone also when the peer has thrown away what it held, and then there is a reset, or was.
attempt_result socket_handle::drain() {
  if (end_.socket->outq() > 0) return wait_for_change(wake::writable);
  const bool reset = end_.reset_told || (end_.socket->poll() & ready::err) != 0;
  if (!reset && end_.socket->loss_untold) report_untold_loss("a drain is told that all was read");
  return reset ? errc::connection_reset : errc::none;
}

attempt_result socket_handle::shutdown() {
  end_.socket->shutdown(unix_socket::direction::write);
  tell_others();
  return errc::none;
}

attempt_result socket_handle::attempt(op& o, kind what) noexcept {
  switch (what) {
    case kind::read:
      return read(static_cast<read_op&>(o));
    case kind::write:
      return write(static_cast<write_op&>(o));
    case kind::drain:
      return drain();
    case kind::readable:
      return look(ready::in, wake::readable);
    case kind::writable:
      return look(ready::out, wake::writable);
    default:
      return shutdown();
  }
}

void socket_handle::come_into_use() {
  if (end_.instances == nullptr || std::exchange(end_.in_use, true)) return;
  const auto& [name, most, now] = *end_.instances;
  if (++end_.instances->now <= most) return;
  fail_run(*process_->world, join('\'', process_->world->place_of(name), "' has ", now,
                                  " instances in use, and max_instances is ", most));
}

/// Operations have told of all that was moved, and of no more.
void socket_handle::check_told() noexcept {
  for (const kind what : {kind::read, kind::write}) {
    const auto untold = static_cast<std::int32_t>(this->untold(what));
    if (untold == 0) continue;
    fail_run(world_, join("connection ", number(), ": its operations to ", name_of(what), " told of ",
                          std::abs(untold), " bytes ", untold > 0 ? "fewer" : "more", " than they moved"));
  }
}

void socket_handle::let_go() noexcept {
  check_account(*process_->world, *end_.socket, number(), true);
  end_.socket->close();
  leave_use();
  tell_others();
}

/// A stream. It is detached as long as a detached_ptr owns it; nothing else differs.
class stream final : public byte_stream, public detached_stream, public socket_handle {
 public:
  using socket_handle::socket_handle;
  ~stream() override { close_now(); }
  start read(read_op& o) override { return submit(o, kind::read); }
  start write(write_op& o) override { return submit(o, kind::write); }
  start shutdown(op& o) override { return submit(o, kind::shutdown); }
  start drain(drain_op& o) override { return submit(o, kind::drain); }
  void cancel(op& o) noexcept override { request_cancel(o); }
  void close() noexcept override { close_now(); }
  void release() noexcept override { free(); }
  const identity& peer() const noexcept override { return other(); }
  detached_ptr detach() noexcept override { return detach_end(); }
};
static_assert(backend::implements_released<stream, backend::byte_stream>);
static_assert(backend::implements<stream, backend::detached_stream>);

/// A stream in which threads wait.
class called_stream final : public blocking_stream, public socket_handle {
 public:
  using socket_handle::socket_handle;
  ~called_stream() override { end(errc::closed); }
  start read(read_op& o) override { return call(o, kind::read); }
  start write(write_op& o) override { return call(o, kind::write); }
  start shutdown(op& o) override { return call(o, kind::shutdown); }
  start drain(drain_op& o) override { return call(o, kind::drain); }
  void cancel(op&) noexcept override {}
  void close() noexcept override { close_now(); }
  void release() noexcept override { free(); }
  const identity& peer() const noexcept override { return other(); }
  detached_ptr detach() noexcept override { return detach_end(); }
  status wait(readiness what, time_point deadline, interrupt* until) override {
    return wait_for(what, deadline, until != nullptr ? &flag_of(*until) : nullptr);
  }
};
static_assert(backend::implements_released<called_stream, backend::blocking_stream>);

}  // namespace

detached_ptr make_stream(const process_ref& process, socket_end end) {
  return std::make_unique<stream>(process, std::move(end));
}

void report_loss(world::state& world, const unix_socket& at, std::uint32_t number, bool closes) {
  fail_run(world, at.account.to_string(number, at.unread(), closes));
}

void check_account(world::state& world, const unix_socket& at, std::uint32_t number, bool closes) {
  const std::size_t unread = at.unread();
  if (!at.account.balances(unread)) report_loss(world, at, number, closes);
  if (closes && unread > 0 && at.peer() != nullptr) at.peer()->loss_untold = true;
}

void tell_changes(unix_sockets& all) noexcept {
  while (all.has_woken()) {
    const auto [socket, changes] = all.take_woken();
    if (socket != nullptr) static_cast<handle*>(socket->user)->changed(changes);
  }
}

result<stream_ptr> adopt(detached_ptr given, attachment how, handle& system) {
  if (system.ended() != errc::none) return fail(system.ended());
  auto* const ours = dynamic_cast<stream*>(given.get());
  if (ours == nullptr) return fail(errc::invalid_argument);
  given.release();
  ours->belong_to(system);
  if (how == attachment::established) ours->come_into_use();
  return stream_ptr(ours);
}

result<blocking_stream_ptr> adopt_blocking(const process_ref& process, detached_ptr given) {
  if (process->dead()) return fail(errc::process_killed);
  auto* const ours = dynamic_cast<stream*>(given.get());
  if (ours == nullptr) return fail(errc::invalid_argument);
  blocking_stream_ptr made(new called_stream(process, ours->take()));
  static_cast<called_stream&>(*made).come_into_use();
  return made;
}

}  // namespace tp::sim
