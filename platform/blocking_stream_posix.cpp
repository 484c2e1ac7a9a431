// The blocking stream: the same interface, whose starts sleep in the kernel and never answer pending.
#include <algorithm>
#include <array>
#include <atomic>
#include <cassert>
#include <condition_variable>
#include <mutex>
#include <thread>
#include <utility>

#include "connected_socket_posix.hpp"
#include "errors_posix.hpp"
#include "interrupt_posix.hpp"
#include "poll_posix.hpp"
#include "streams.hpp"
#include "twinpipe/backend/twin.hpp"

namespace tp::platform {
namespace {

using backend::start;
using backend::status;

class threads_stream final : public backend::blocking_stream {
 public:
  explicit threads_stream(channel_ptr held) noexcept
      : channel_(std::move(held)), socket_(channel_->make_sleep()) {}

  start read(backend::read_op& op) override;
  start write(backend::write_op& op) override;
  start shutdown(backend::op& op) override;
  start drain(backend::drain_op& op) override;
  status wait(backend::readiness what, time_point deadline, backend::interrupt* until) override;
  void cancel(backend::op&) noexcept override {}  // no operation of this stream is ever pending
  void close() noexcept override;
  void release() noexcept override;
  backend::detached_ptr detach() noexcept override;
  const identity& peer() const noexcept override { return channel_->peer(); }

 private:
  class visit;

  // What state_ is the sum of; the last counts the calls inside. None comes in after closed.
  static constexpr std::uint32_t reading = 1, writing = 2, closed = 4, released = 8, inside = 16;

  [[nodiscard]] bool enter(std::uint32_t mark) noexcept;
  void leave(std::uint32_t mark) noexcept;
  void leave_last(std::uint32_t mark) noexcept;
  [[nodiscard]] bool is(std::uint32_t bits) const noexcept { return (state_.load() & bits) != 0; }

  [[nodiscard]] status at_end() noexcept;
  [[nodiscard]] attempt try_drain() noexcept;
  [[nodiscard]] status wait_again(short events, time_point deadline) noexcept;
  [[nodiscard]] status wait_for(short events, time_point deadline, const backend::interrupt* until) noexcept;
  [[nodiscard]] bool pause(duration length, time_point deadline);

  std::atomic<std::uint32_t> state_ = 0;
  channel_ptr channel_;
  connected_socket* const socket_;  // the same, or null where a try and a wait take the place of one call
  std::mutex mutex_;                // for the pauses of a drain
  std::condition_variable closing_;
};
static_assert(backend::implements_released<threads_stream, backend::blocking_stream>);

// One call inside the stream. The last to leave a closed stream gives the descriptor back, and after release
// the object.
class threads_stream::visit {
 public:
  explicit visit(threads_stream& stream, std::uint32_t as = 0) noexcept
      : stream_(stream), mark_(inside + as), open_(stream.enter(mark_)) {}
  ~visit() {
    if (open_) stream_.leave(mark_);
  }
  visit(const visit&) = delete;
  visit& operator=(const visit&) = delete;
  explicit operator bool() const noexcept { return open_; }

 private:
  threads_stream& stream_;
  const std::uint32_t mark_;
  const bool open_;
};

bool threads_stream::enter(std::uint32_t mark) noexcept {
  std::uint32_t seen = state_.load(std::memory_order_relaxed);
  do {
    if ((seen & closed) != 0) return false;
    assert((seen & mark & (reading | writing)) == 0 && "one read and one write at a time");
  } while (!state_.compare_exchange_weak(seen, seen + mark));
  return true;
}

void threads_stream::leave(std::uint32_t mark) noexcept {
  std::uint32_t seen = state_.load();
  do {
    if ((seen & closed) != 0 && seen / inside == 1) return leave_last(mark);
  } while (!state_.compare_exchange_weak(seen, seen - mark));
}

// Nobody else is inside and nobody comes; but a release may go on at once when this one has left.
void threads_stream::leave_last(std::uint32_t mark) noexcept {
  channel_->close();
  if ((state_.fetch_sub(mark) & released) != 0) delete this;
}

start threads_stream::read(backend::read_op& op) {
  const visit here(*this, reading);
  if (!here) return op.finish({errc::closed});
  if (op.into.empty() && op.spill.empty()) return op.finish(wait_for(POLLIN, op.deadline, nullptr));
  for (;;) {
    const attempt got = socket_ != nullptr ? socket_->sleeping_read(op.into, op.spill, op.deadline)
                                           : channel_->read(op.into, op.spill);
    if (got.n > 0) return op.finish({}, got.n);
    if (!got.would_block) return op.finish(is(closed) || got.result.ok() ? at_end() : got.result);
    if (const status waited = wait_again(POLLIN, op.deadline); !waited.ok()) return op.finish(waited);
  }
}

// Our own close looks like the peer's end to the kernel.
status threads_stream::at_end() noexcept {
  for (;;) {
    if (is(closed)) return {errc::closed};
    const attempt known = channel_->at_end(is(writing));
    if (!known.would_block) return known.result;
    std::this_thread::sleep_for(std::chrono::microseconds(50));  // the writer is on its way out
  }
}

start threads_stream::write(backend::write_op& op) {
  op.n = 0;
  const visit here(*this, writing);
  if (!here) return op.finish({errc::closed});
  for (;;) {
    const attempt went =
        socket_ != nullptr ? socket_->sleeping_write(op.buffers, op.deadline) : channel_->write(op.buffers);
    op.n += went.n;
    if (!went.would_block)
      return op.finish(!went.result.ok() && is(closed) ? status{errc::closed} : went.result, op.n);
    if (const status waited = wait_again(POLLOUT, op.deadline); !waited.ok()) return op.finish(waited, op.n);
  }
}

start threads_stream::shutdown(backend::op& op) {
  const visit here(*this, writing);
  return op.finish(here ? channel_->shutdown_sending() : status{errc::closed});
}

start threads_stream::drain(backend::drain_op& op) {
  const visit here(*this);
  if (!here) return op.finish({errc::closed});
  for (drain_pause between;;) {
    const attempt got = try_drain();
    if (is(closed)) return op.finish({errc::closed});
    if (!got.would_block) return op.finish(got.result);
    if (real_now() >= op.deadline) return op.finish({errc::timed_out});
    if (pause(between.next(), op.deadline)) return op.finish({errc::closed});
  }
}

attempt threads_stream::try_drain() noexcept {
  const attempt got = channel_->drained();
  if (!got.unsettled) return got;
  if (is(reading | writing)) return {.would_block = true};
  return channel_->drained();
}

// True if the stream was closed meanwhile.
bool threads_stream::pause(duration length, time_point deadline) {
  std::unique_lock lock(mutex_);
  const duration rest = deadline == never ? length : std::min(length, deadline - real_now());
  return closing_.wait_for(lock, rest, [this] { return is(closed); });
}

status threads_stream::wait(backend::readiness what, time_point deadline, backend::interrupt* until) {
  const visit here(*this);
  if (!here) return {errc::closed};
  const auto asked = static_cast<std::uint8_t>(what);
  const bool in = (asked & static_cast<std::uint8_t>(backend::readiness::readable)) != 0;
  const bool out = (asked & static_cast<std::uint8_t>(backend::readiness::writable)) != 0;
  return wait_for(static_cast<short>((in ? POLLIN : 0) | (out ? POLLOUT : 0)), deadline, until);
}

// After a try: a deadline that has passed allows no more.
status threads_stream::wait_again(short events, time_point deadline) noexcept {
  if (deadline != never && real_now() >= deadline) return {errc::timed_out};
  return wait_for(events, deadline, nullptr);
}

// ok: worth another try.
status threads_stream::wait_for(short events, time_point deadline, const backend::interrupt* until) noexcept {
  std::array<pollfd, 5> questions{};
  std::size_t count = 0;
  const auto ask = [&](int number, int about) {
    if (number >= 0 && about != 0) questions[count++] = {number, static_cast<short>(about), 0};
  };
  const int in = channel_->in(), out = channel_->out();
  if ((events & POLLOUT) != 0 && out < 0) return {};  // the write will say why
  ask(in, in == out ? events : events & POLLIN);
  ask(out, in == out ? 0 : events & POLLOUT);
  ask(channel_->sending_ended(), (events & POLLOUT) != 0 ? POLLIN : 0);
  const std::size_t ends = count;
  ask(until == nullptr ? -1 : descriptor_of(*until), POLLIN);
  const std::size_t raised = count;
  ask(channel_->alarm(), POLLIN);
  const auto tells = [](const pollfd& question) { return question.revents != 0; };
  for (;;) {
    if (is(closed)) return {errc::closed};
    const status waited = poll_until(std::span(questions).first(count), deadline);
    if (is(closed)) return {errc::closed};
    if (!waited.ok()) return waited;
    if (std::any_of(questions.begin(), questions.begin() + ends, tells)) return {};
    if (std::any_of(questions.begin() + ends, questions.begin() + raised, tells)) return {errc::cancelled};
  }
}

void threads_stream::close() noexcept {
  std::uint32_t seen = state_.load();
  do {
    if ((seen & closed) != 0) return;
  } while (!state_.compare_exchange_weak(seen, seen + closed + inside));
  if (seen >= inside) {
    channel_->end_waits();
    const std::scoped_lock lock(mutex_);
    closing_.notify_all();
  }
  leave(inside);
}

void threads_stream::release() noexcept {
  close();
  if (state_.fetch_or(released) < inside) delete this;
}

backend::detached_ptr threads_stream::detach() noexcept {
  std::uint32_t idle = 0;
  if (!state_.compare_exchange_strong(idle, closed + inside)) return nullptr;
  identity peer = channel_->peer();
  channel_ptr held =
      std::exchange(channel_, std::make_unique<connected_socket>(descriptor(), std::move(peer)));
  leave(inside);
  return platform::detach(std::move(held));
}

}  // namespace

backend::blocking_stream_ptr make_blocking_stream(channel_ptr held) {
  return backend::blocking_stream_ptr(new threads_stream(std::move(held)));
}

}  // namespace tp::platform
