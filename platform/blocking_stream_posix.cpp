// The blocking stream: the same interface, whose starts wait and never answer pending.
#include <array>
#include <cerrno>
#include <condition_variable>
#include <mutex>
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
  explicit threads_stream(channel_ptr held) noexcept : channel_(std::move(held)) {}

  start read(backend::read_op& op) override;
  start write(backend::write_op& op) override;
  start shutdown(backend::op& op) override;
  start drain(backend::drain_op& op) override;
  void cancel(backend::op&) noexcept override {}  // no operation of this stream is ever pending
  void close() noexcept override;
  void release() noexcept override;
  backend::detached_ptr detach() noexcept override;
  status wait(backend::readiness what, time_point deadline, backend::interrupt* until) override;
  const identity& peer() const noexcept override { return channel_->peer(); }

 private:
  // One call inside the stream. The last to leave a closed stream gives the descriptor back, and after
  // release the object.
  class visit;

  [[nodiscard]] attempt try_read(backend::read_op& op) noexcept;
  [[nodiscard]] attempt try_drain() noexcept;
  [[nodiscard]] status wait_for(int events, time_point deadline,
                                const backend::interrupt* until = nullptr) noexcept;
  [[nodiscard]] bool pause(duration length, time_point deadline);
  [[nodiscard]] bool is_closed() noexcept;
  [[nodiscard]] bool enter() noexcept;
  void exit() noexcept;

  std::mutex mutex_;
  std::condition_variable closing_;
  channel_ptr channel_;
  std::mutex reset_mutex_;  // a leaf; nothing waits inside
  int inside_ = 0;
  bool closed_ = false;
  bool released_ = false;
};
static_assert(backend::implements_released<threads_stream, backend::blocking_stream>);

class threads_stream::visit {
 public:
  explicit visit(threads_stream& stream) noexcept : stream_(stream), open_(stream.enter()) {}
  ~visit() {
    if (open_) stream_.exit();
  }
  visit(const visit&) = delete;
  visit& operator=(const visit&) = delete;
  explicit operator bool() const noexcept { return open_; }

 private:
  threads_stream& stream_;
  bool open_;
};

bool threads_stream::enter() noexcept {
  const std::scoped_lock lock(mutex_);
  if (!closed_) ++inside_;
  return !closed_;
}

void threads_stream::exit() noexcept {
  bool last_of_all = false;
  {
    const std::scoped_lock lock(mutex_);
    if (--inside_ == 0 && closed_) {
      channel_->close();
      last_of_all = released_;
    }
  }
  if (last_of_all) delete this;
}

bool threads_stream::is_closed() noexcept {
  const std::scoped_lock lock(mutex_);
  return closed_;
}

// ok: worth another try.
status threads_stream::wait_for(int events, time_point deadline, const backend::interrupt* until) noexcept {
  std::array<pollfd, 4> questions{};
  std::size_t count = 0;
  if ((events & POLLIN) != 0) questions[count++] = {channel_->in(), POLLIN, 0};
  if ((events & POLLOUT) != 0) questions[count++] = {channel_->out(), POLLOUT, 0};
  const std::size_t ends = count;
  questions[count++] = {until == nullptr ? -1 : descriptor_of(*until), POLLIN, 0};
  questions[count++] = {channel_->alarm(), POLLIN, 0};
  for (;;) {
    if (is_closed()) return {errc::closed};
    const status waited = poll_until(std::span(questions).first(count), deadline);
    if (!waited.ok()) return waited;
    if (is_closed()) return {errc::closed};
    for (std::size_t i = 0; i < ends; ++i)
      if (questions[i].revents != 0) return {};
    if (questions[ends].revents != 0) return {errc::cancelled};
  }
}

status threads_stream::wait(backend::readiness what, time_point deadline, backend::interrupt* until) {
  const visit here(*this);
  if (!here) return {errc::closed};
  const auto asked = static_cast<unsigned>(what);
  const bool in = (asked & static_cast<unsigned>(backend::readiness::readable)) != 0;
  const bool out = (asked & static_cast<unsigned>(backend::readiness::writable)) != 0;
  return wait_for((in ? POLLIN : 0) | (out ? POLLOUT : 0), deadline, until);
}

attempt threads_stream::try_read(backend::read_op& op) noexcept {
  const std::scoped_lock lock(reset_mutex_);
  return channel_->read(op.into, op.spill);
}

attempt threads_stream::try_drain() noexcept {
  const std::scoped_lock lock(reset_mutex_);
  return channel_->drained();
}

start threads_stream::read(backend::read_op& op) {
  const visit here(*this);
  if (!here) return op.finish({errc::closed});
  for (;;) {
    const attempt got = try_read(op);
    // Our own close looks like the peer's end to the kernel.
    if (!got.would_block)
      return op.finish(got.n == 0 && is_closed() ? status{errc::closed} : got.result, got.n);
    if (const status waited = wait_for(POLLIN, op.deadline); !waited.ok()) return op.finish(waited);
  }
}

start threads_stream::write(backend::write_op& op) {
  op.n = 0;
  const visit here(*this);
  if (!here) return op.finish({errc::closed});
  for (;;) {
    const attempt went = channel_->write(op.buffers);
    op.n += went.n;
    if (!went.would_block)
      return op.finish(!went.result.ok() && is_closed() ? status{errc::closed} : went.result, op.n);
    if (const status waited = wait_for(POLLOUT, op.deadline); !waited.ok()) return op.finish(waited, op.n);
  }
}

start threads_stream::shutdown(backend::op& op) {
  const visit here(*this);
  return op.finish(here ? channel_->shutdown_sending() : status{errc::closed});
}

start threads_stream::drain(backend::drain_op& op) {
  const visit here(*this);
  if (!here) return op.finish({errc::closed});
  for (drain_pause between;;) {
    const attempt got = try_drain();
    if (is_closed()) return op.finish({errc::closed});
    if (!got.would_block) return op.finish(got.result);
    if (real_now() >= op.deadline) return op.finish({errc::timed_out});
    if (pause(between.next(), op.deadline)) return op.finish({errc::closed});
  }
}

// True if the stream was closed meanwhile.
bool threads_stream::pause(duration length, time_point deadline) {
  std::unique_lock lock(mutex_);
  const duration rest = deadline == never ? length : std::min(length, deadline - real_now());
  return closing_.wait_for(lock, rest, [this] { return closed_; });
}

void threads_stream::close() noexcept {
  const std::scoped_lock lock(mutex_);
  if (std::exchange(closed_, true)) return;
  if (inside_ == 0) {
    channel_->close();
    return;
  }
  channel_->end_waits();
  closing_.notify_all();
}

void threads_stream::release() noexcept {
  close();
  bool unused = false;
  {
    const std::scoped_lock lock(mutex_);
    released_ = true;
    unused = inside_ == 0;
  }
  if (unused) delete this;
}

backend::detached_ptr threads_stream::detach() noexcept {
  const std::scoped_lock lock(mutex_);
  if (closed_ || inside_ > 0) return nullptr;
  closed_ = true;
  identity peer = channel_->peer();
  return platform::detach(
      std::exchange(channel_, std::make_unique<connected_socket>(descriptor(), std::move(peer))));
}

}  // namespace

backend::blocking_stream_ptr make_blocking_stream(channel_ptr held) {
  return backend::blocking_stream_ptr(new threads_stream(std::move(held)));
}

}  // namespace tp::platform
