// The asynchronous stream: tries first, then waits for readiness.
#include <utility>

#include "connected_socket_posix.hpp"
#include "errors_posix.hpp"
#include "streams.hpp"
#include "try_habit.hpp"
#include "twinpipe/backend/twin.hpp"
#include "watcher.hpp"

namespace tp::platform {
namespace {

using backend::start;
using backend::status;

bool waits(const backend::op* op) noexcept {
  return op != nullptr && phase_of(*op) == op_phase::waiting;
}

/// What the last read tells about the next, until an event comes.
enum class outlook : std::uint8_t {
  unknown,
  empty,    ///< the kernel had nothing more
  perhaps,  ///< the buffer was filled
};

class loop_stream final : public backend::byte_stream, public found_watcher<loop_stream>, public spin_source {
 public:
  loop_stream(event_loop& loop, channel_ptr held) noexcept
      : found_watcher(loop),
        channel_(std::move(held)),
        socket_(dynamic_cast<connected_socket*>(channel_.get())) {}
  [[nodiscard]] int open() { return watch(channel_->in(), channel_->out()); }

  start read(backend::read_op& op) override;
  start write(backend::write_op& op) override;
  start shutdown(backend::op& op) override;
  start drain(backend::drain_op& op) override;
  void cancel(backend::op& op) noexcept override;
  void close() noexcept override;
  void release() noexcept override;
  backend::detached_ptr detach() noexcept override;
  const identity& peer() const noexcept override { return channel_->peer(); }

  void retry(backend::op& op) noexcept override;
  void expire(backend::op& op) noexcept override;
  [[nodiscard]] int on_ready(int events) noexcept;
  void on_leave(backend::op& op) noexcept;
  void try_now() noexcept override;

 protected:
  int wanted() const noexcept override;
  bool in_use() const noexcept override { return read_ || write_ || drain_; }

 private:
  [[nodiscard]] int any_ready(int events) noexcept;
  [[nodiscard]] bool worth_a_try() noexcept;
  start try_first(backend::read_op& op);
  [[nodiscard]] attempt try_read(backend::read_op& op) noexcept;
  [[nodiscard]] attempt try_write(backend::write_op& op) noexcept;
  void go_on_reading() noexcept;
  void go_on_writing() noexcept;
  void go_on_draining() noexcept;
  void ask_again_later();
  void stop(backend::op* op, errc why) noexcept;
  void try_last_time(backend::op& op) noexcept;
  [[nodiscard]] bool is_mine(const backend::op& op) const noexcept;

  channel_ptr channel_;
  connected_socket* socket_;  ///< the channel, if it is one: calls of a known class cost less
  backend::read_op* read_ = nullptr;
  backend::write_op* write_ = nullptr;
  backend::drain_op* drain_ = nullptr;
  backend::op drain_tick_;
  drain_pause drain_pause_;
  outlook outlook_ = outlook::unknown;
  try_habit habit_;
};
static_assert(backend::implements_released<loop_stream, backend::byte_stream>);

[[gnu::hot]] start loop_stream::read(backend::read_op& op) {
  assert(read_ == nullptr && "one read at a time");
  if (!watching() || worth_a_try()) return try_first(op);
  read_ = &op;
  loop_.add_source(*this);
  return loop_.wait(op, *this, op_kind::read);
}

[[gnu::hot, gnu::noinline]] start loop_stream::try_first(backend::read_op& op) {
  if (!watching()) return op.finish({errc::closed});
  if (loop_.exhausted()) {
    read_ = &op;
    return loop_.postpone(op, *this, op_kind::read);
  }
  const bool guessed = outlook_ == outlook::perhaps;
  const attempt got = try_read(op);
  if (guessed) habit_.found(!got.would_block);
  if (!got.would_block) return loop_.done(op, got.result, got.n);
  read_ = &op;
  want(UV_READABLE);
  loop_.add_source(*this);
  return loop_.wait(op, *this, op_kind::read);
}

// What comes while interest is armed becomes an event.
bool loop_stream::worth_a_try() noexcept {
  if (outlook_ == outlook::unknown || !armed(UV_READABLE)) return true;
  return outlook_ == outlook::perhaps && habit_.worth_it();
}

attempt loop_stream::try_read(backend::read_op& op) noexcept {
  const attempt got =
      socket_ != nullptr ? socket_->read(op.into, op.spill) : channel_->read(op.into, op.spill);
  outlook_ = got.was_short ? outlook::empty : got.n > 0 ? outlook::perhaps : outlook::unknown;
  return got;
}

[[gnu::hot]] start loop_stream::write(backend::write_op& op) {
  assert(write_ == nullptr && "one write at a time");
  op.n = 0;
  if (!watching()) return op.finish({errc::closed});
  if (loop_.exhausted()) {
    write_ = &op;
    return loop_.postpone(op, *this, op_kind::write);
  }
  const attempt went = try_write(op);
  if (!went.would_block) return loop_.done(op, went.result, op.n);
  write_ = &op;
  want(UV_WRITABLE);
  return loop_.wait(op, *this, op_kind::write);
}

// op.n counts what went so far, so that a stopped write is exact.
attempt loop_stream::try_write(backend::write_op& op) noexcept {
  const attempt went = socket_ != nullptr ? socket_->write(op.buffers) : channel_->write(op.buffers);
  op.n += went.n;
  return went;
}

start loop_stream::shutdown(backend::op& op) {
  if (!watching()) return op.finish({errc::closed});
  stop_watching_out();
  return op.finish(channel_->shutdown_sending());
}

start loop_stream::drain(backend::drain_op& op) {
  assert(drain_ == nullptr && "one drain at a time");
  if (!watching()) return op.finish({errc::closed});
  drain_pause_.restart();
  if (loop_.exhausted()) {
    drain_ = &op;
    return loop_.postpone(op, *this, op_kind::drain);
  }
  const attempt got = channel_->drained();
  if (!got.would_block) return loop_.done(op, got.result);
  drain_ = &op;
  ask_again_later();
  return loop_.wait(op, *this, op_kind::drain);
}

void loop_stream::ask_again_later() {
  loop_.remove_timer(drain_tick_);
  loop_.add_timer(drain_tick_, *this, op_kind::drain_tick, loop_.now() + drain_pause_.next());
}

int loop_stream::wanted() const noexcept {
  return (waits(read_) ? UV_READABLE : 0) | (waits(write_) ? UV_WRITABLE : 0);
}

[[gnu::hot]] inline int loop_stream::on_ready(int events) noexcept {
  if (events != UV_READABLE || !waits(read_) || read_->into.empty()) return any_ready(events);
  go_on_reading();
  return 0;
}

[[gnu::hot]] int loop_stream::any_ready(int events) noexcept {
  int unwanted = 0;
  if ((events & UV_READABLE) != 0) {
    outlook_ = outlook::unknown;
    if (!waits(read_))
      unwanted |= UV_READABLE;
    else if (read_->into.empty() && read_->spill.empty())
      loop_.finish(*read_, {});  // a wait for readiness, and here it is
    else
      go_on_reading();
  }
  if ((events & UV_WRITABLE) != 0) {
    if (waits(write_))
      go_on_writing();
    else
      unwanted |= UV_WRITABLE;
  }
  return unwanted;
}

[[gnu::hot]] void loop_stream::go_on_reading() noexcept {
  const attempt got = try_read(*read_);
  if (got.would_block)
    want(UV_READABLE);
  else
    loop_.finish(*read_, got.result, got.n);
}

void loop_stream::go_on_writing() noexcept {
  const attempt went = try_write(*write_);
  if (went.would_block)
    want(UV_WRITABLE);
  else
    loop_.finish(*write_, went.result, write_->n);
}

void loop_stream::go_on_draining() noexcept {
  const attempt got = channel_->drained();
  if (got.would_block) return ask_again_later();
  loop_.remove_timer(drain_tick_);
  loop_.finish(*drain_, got.result);
}

// Only a read that takes bytes: a wait for them is no conversation.
void loop_stream::try_now() noexcept {
  if (waits(read_) && !read_->into.empty()) go_on_reading();
}

void loop_stream::retry(backend::op& op) noexcept {
  switch (kind_of(op)) {
    case op_kind::read:
      return go_on_reading();
    case op_kind::write:
      return go_on_writing();
    default:
      return go_on_draining();
  }
}

void loop_stream::expire(backend::op& op) noexcept {
  if (&op == &drain_tick_) return go_on_draining();
  try_last_time(op);
  stop(&op, errc::timed_out);
}

// Bytes that have come win over a cancel or deadline, though the loop has not noticed them yet. A write is
// not tried: who asks to stop it wants no more of it sent.
void loop_stream::try_last_time(backend::op& op) noexcept {
  if (!undecided(op)) return;
  if (&op == read_) go_on_reading();
  if (&op == drain_) go_on_draining();
}

bool loop_stream::is_mine(const backend::op& op) const noexcept {
  return &op == read_ || &op == write_ || &op == drain_;
}

void loop_stream::cancel(backend::op& op) noexcept {
  if (!is_mine(op)) return;
  try_last_time(op);
  stop(&op, errc::cancelled);
}

void loop_stream::stop(backend::op* op, errc why) noexcept {
  if (op == nullptr || !undecided(*op)) return;
  if (op == drain_) loop_.remove_timer(drain_tick_);
  loop_.finish(*op, {why}, op == write_ ? op->n : 0);
}

[[gnu::hot]] inline void loop_stream::on_leave(backend::op& op) noexcept {
  if (&op == read_) {
    read_ = nullptr;
    loop_.remove_source(*this);
  }
  if (&op == write_) write_ = nullptr;
  if (&op == drain_) drain_ = nullptr;
  left();
}

void loop_stream::close() noexcept {
  if (!watching()) return;
  stop_watching();
  channel_->close();
  stop(read_, errc::closed);
  stop(write_, errc::closed);
  stop(drain_, errc::closed);
}

void loop_stream::release() noexcept {
  close();
  free_when_idle();
}

backend::detached_ptr loop_stream::detach() noexcept {
  if (!watching() || in_use()) return nullptr;
  stop_watching();
  auto closed = std::make_unique<connected_socket>(descriptor(), channel_->peer());
  socket_ = closed.get();
  return platform::detach(std::exchange(channel_, std::move(closed)));
}

}  // namespace

result<backend::stream_ptr> make_stream(event_loop& loop, channel_ptr held) {
  auto made = std::make_unique<loop_stream>(loop, std::move(held));
  loop_stream& stream = *made.get();
  backend::stream_ptr owner(made.release());
  if (const int number = stream.open(); number != 0) return fail_with(operation::none, number, "");
  return owner;
}

}  // namespace tp::platform
