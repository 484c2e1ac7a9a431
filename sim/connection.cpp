// Connections by Linux's rules for Unix stream sockets (unix(7)): order of bytes, end and reset, capacity,
// and what a drain can know; and the streams at their ends.
#include <array>

#include "byte_queue.hpp"
#include "kernel.hpp"
#include "twinpipe/backend/twin.hpp"

namespace tp::sim {

using namespace backend;

namespace {

/// Bytes on their way in one direction: the default SO_SNDBUF.
constexpr std::size_t capacity = std::size_t{208} * 1024;

/// One side, and the direction in which it writes.
struct sender {
  sender(identity writer, std::pmr::memory_resource& memory) : who(std::move(writer)), bytes(memory) {}

  identity who;
  handle* stream = nullptr;  ///< to wake
  byte_queue bytes;
  bool ended = false;      ///< it has shut down or closed
  bool reset = false;      ///< it has closed without reading all: a reset, once, after the bytes
  bool abandoned = false;  ///< the reader has closed
  bool discarded = false;  ///< and bytes were lost with that
};

/// One end of a connection.
struct socket {
  std::shared_ptr<std::array<sender, 2>> link;
  std::size_t side;
  std::uint32_t number;  ///< the end's, whoever has it

  [[nodiscard]] sender& in() const noexcept { return (*link)[1 - side]; }
  [[nodiscard]] sender& out() const noexcept { return (*link)[side]; }
  void wake_peer(kind what) const noexcept {
    if (in().stream != nullptr) in().stream->wake(what);
  }
  void close(bool refused) const noexcept {
    in().discarded = !in().bytes.empty();
    in().abandoned = out().ended = true;
    in().bytes.clear();
    out().reset = refused || in().discarded;
    out().stream = nullptr;
    for (const kind what : {kind::read, kind::readable, kind::write, kind::writable, kind::drain})
      wake_peer(what);
  }
};

std::optional<status> read(const socket& at, read_op& o) {
  sender& in = at.in();
  if (in.bytes.empty() && !in.reset && !in.ended) return std::nullopt;
  if (o.into.empty() && o.spill.empty()) return status{};
  if (in.bytes.empty()) return status{std::exchange(in.reset, false) ? errc::connection_reset : errc::none};
  for (const auto part : {o.into, o.spill}) {
    o.n += in.bytes.pop(part);
  }
  // A blocked writer gets in again only when three quarters are empty, as unix_writable() of Linux has it.
  if (in.bytes.size() * 4 <= capacity) {
    at.wake_peer(kind::write);
    at.wake_peer(kind::writable);
  }
  if (in.bytes.empty()) at.wake_peer(kind::drain);
  return status{};
}

std::optional<status> write(const socket& at, write_op& o) {
  sender& out = at.out();
  if (out.abandoned || out.ended) return status{errc::broken_pipe};
  for (const_buffer& buffer : o.buffers) {
    const auto fits = buffer.first(std::min(buffer.size(), capacity - out.bytes.size()));
    out.bytes.push(fits);
    buffer = buffer.subspan(fits.size());
    o.n += fits.size();
  }
  if (!out.bytes.empty()) {
    at.wake_peer(kind::read);
    at.wake_peer(kind::readable);
  }
  return std::ranges::all_of(o.buffers, &const_buffer::empty) ? std::optional(status{}) : std::nullopt;
}

std::optional<status> drain(const socket& at) {
  if (at.out().discarded) return status{errc::connection_reset};
  return at.out().bytes.empty() ? std::optional(status{}) : std::nullopt;
}

std::optional<status> attempt_at(const socket& at, op& o, kind what) {
  switch (what) {
    case kind::read:
      return read(at, static_cast<read_op&>(o));
    case kind::write:
      return write(at, static_cast<write_op&>(o));
    case kind::drain:
      return drain(at);
    case kind::readable: {
      const sender& in = at.in();
      return in.bytes.empty() && !in.reset && !in.ended ? std::nullopt : std::optional(status{});
    }
    case kind::writable: {
      const sender& out = at.out();
      const bool room = out.bytes.size() * 4 <= capacity;
      return room || out.abandoned || out.ended ? std::optional(status{}) : std::nullopt;
    }
    default:
      at.out().ended = true;
      at.wake_peer(kind::read);
      at.wake_peer(kind::readable);
      return status{};
  }
}

std::string describe_end(const socket& at) {
  const std::uint32_t pid = at.in().who.pid.value;
  return "connection " + std::to_string(at.number) + " with pid " + std::to_string(pid);
}

/// A stream. It is detached as long as a detached_ptr owns it; nothing else differs.
class stream final : public byte_stream, public detached_stream, public handle {
 public:
  stream(process_ref process, socket end) : handle(std::move(process), end.number), socket_(std::move(end)) {
    socket_.out().stream = this;
  }
  ~stream() override { end(errc::closed); }
  start read(read_op& o) override { return submit(o, kind::read); }
  start write(write_op& o) override { return submit(o, kind::write); }
  start shutdown(op& o) override { return submit(o, kind::shutdown); }
  start drain(drain_op& o) override { return submit(o, kind::drain); }
  void cancel(op& o) noexcept override { request_cancel(o); }
  void close() noexcept override { end(errc::closed); }
  void release() noexcept override { free(); }
  const identity& peer() const noexcept override { return socket_.in().who; }
  detached_ptr detach() noexcept override {
    if (!idle() || ended() != errc::none) return nullptr;
    return std::make_unique<stream>(process_, take());
  }
  std::string describe() const override { return describe_end(socket_); }
  /// The kernel's part, which is no longer this object's.
  [[nodiscard]] socket take() noexcept {
    give_away();
    return socket_;
  }

 private:
  std::optional<status> attempt(op& o, kind what) noexcept override { return attempt_at(socket_, o, what); }
  void let_go() noexcept override { socket_.close(ended() == errc::server_gone); }
  const socket socket_;
};
static_assert(backend::implements_released<stream, backend::byte_stream>);
static_assert(backend::implements<stream, backend::detached_stream>);

/// A stream in which threads wait.
class called_stream final : public blocking_stream, public handle {
 public:
  called_stream(process_ref process, socket end)
      : handle(std::move(process), end.number), socket_(std::move(end)) {
    socket_.out().stream = this;
  }
  ~called_stream() override { end(errc::closed); }
  start read(read_op& o) override { return call(o, kind::read); }
  start write(write_op& o) override { return call(o, kind::write); }
  start shutdown(op& o) override { return call(o, kind::shutdown); }
  start drain(drain_op& o) override { return call(o, kind::drain); }
  void cancel(op&) noexcept override {}
  void close() noexcept override { end(errc::closed); }
  void release() noexcept override { free(); }
  const identity& peer() const noexcept override { return socket_.in().who; }
  detached_ptr detach() noexcept override {
    if (!idle() || ended() != errc::none) return nullptr;
    give_away();
    return std::make_unique<stream>(process_, socket_);
  }
  std::string describe() const override { return describe_end(socket_); }
  status wait(readiness what, time_point deadline, interrupt* until) override {
    return wait_for(what, deadline, until != nullptr ? &flag_of(*until) : nullptr);
  }

 private:
  std::optional<status> attempt(op& o, kind what) noexcept override { return attempt_at(socket_, o, what); }
  void let_go() noexcept override { socket_.close(false); }
  const socket socket_;
};
static_assert(backend::implements_released<called_stream, backend::blocking_stream>);

}  // namespace

std::pair<detached_ptr, detached_ptr> make_connection(const process_ref& client, const process_ref& host,
                                                      const identity& listening) {
  std::pmr::memory_resource& memory = client->world->memory;
  const auto link = std::make_shared<std::array<sender, 2>>(
      std::array{sender{client->effective(), memory}, sender{listening, memory}});
  (*link)[0].who.process = client->life;
  (*link)[1].who.process = host->life;
  std::uint32_t& last = client->world->handles;
  const std::uint32_t near = ++last, far = ++last;
  client->world->time.note(happening::connected, near, far);
  return {std::make_unique<stream>(client, socket{link, 0, near}),
          std::make_unique<stream>(host, socket{link, 1, far})};
}

result<stream_ptr> adopt(detached_ptr given, attachment, handle& system) {
  if (system.ended() != errc::none) return fail(system.ended());
  auto* const ours = dynamic_cast<stream*>(given.get());
  if (ours == nullptr) return fail(errc::invalid_argument);
  given.release();
  ours->belong_to(&system);
  return stream_ptr(ours);
}

result<blocking_stream_ptr> adopt_blocking(const process_ref& process, detached_ptr given) {
  if (process->dead()) return fail(errc::process_killed);
  auto* const ours = dynamic_cast<stream*>(given.get());
  if (ours == nullptr) return fail(errc::invalid_argument);
  return blocking_stream_ptr(new called_stream(process, ours->take()));
}

}  // namespace tp::sim
