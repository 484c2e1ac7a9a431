// A pipe before it is established: the handshake's reads and writes, on any thread in turn.
#include <optional>
#include <utility>

#include "twinpipe/backend/twin.hpp"
#include "windows/errors.hpp"
#include "windows/gather.hpp"
#include "windows/loop.hpp"
#include "windows/overlapped_io.hpp"
#include "windows/peer.hpp"

namespace tp::platform {
namespace {

using backend::op;
using backend::read_op;
using backend::start;
using backend::status;
using backend::write_op;
using answer = overlapped_io::answer;

class half_open_stream final : public backend::byte_stream, op_owner {
 public:
  half_open_stream(const thread_loop& loop, pipe_end end)
      : loop_(loop),
        end_(std::move(end)),
        reading_(
            loop.box, [](void* self) noexcept { static_cast<half_open_stream*>(self)->read_ended(); }, this),
        writing_(
            loop.box, [](void* self) noexcept { static_cast<half_open_stream*>(self)->write_ended(); },
            this) {}

  start read(read_op& op) override { return begin(op, read_, op_kind::read); }
  start write(write_op& op) override {
    written_ = 0;
    return begin(op, write_, op_kind::write);
  }
  start shutdown(op& op) override { return op.finish({errc::not_supported}); }
  start drain(backend::drain_op& op) override { return op.finish({errc::not_supported}); }

  void cancel(op& op) noexcept override { end_with(op, errc::cancelled); }

  void close() noexcept override {
    if (read_ != nullptr) end_with(*read_, errc::closed);
    if (write_ != nullptr) end_with(*write_, errc::closed);
    end_.handle.reset();
  }

  void release() noexcept override {
    close();
    released_ = true;
    free_when_idle();
  }

  backend::detached_ptr detach() noexcept override {
    if (read_ != nullptr || write_ != nullptr || !end_.handle) return nullptr;
    return std::make_unique<detached_pipe>(std::move(end_));
  }

  [[nodiscard]] const identity& peer() const noexcept override { return end_.peer; }

 private:
  struct ending {
    status result;
    std::size_t n = 0;
  };

  ~half_open_stream() = default;

  template <class Op>
  start begin(Op& op, Op*& slot, op_kind kind) {
    if (!end_.handle) return op.finish({errc::closed});
    if (loop_.events.exhausted()) {
      slot = &op;
      return loop_.events.postpone(op, *this, kind);
    }
    if (const auto ended = submit(op)) return loop_.events.done(op, ended->result, ended->n);
    slot = &op;
    return loop_.events.wait(op, *this, kind);
  }

  // Null: the kernel has the buffer.
  std::optional<ending> submit(read_op& op) {
    for (;;) {
      const answer got = reading_.read(end_.handle.get(), target(op));
      if (got.cause == ERROR_IO_PENDING) return std::nullopt;
      if (const auto ended = judge(op, got)) return ended;
    }
  }

  std::optional<ending> submit(write_op& op) {
    for (;;) {
      const auto piece = next_piece(op.buffers, staging_);
      if (piece.empty()) return ending{{}, written_};
      const answer put = writing_.write(end_.handle.get(), piece);
      if (put.cause == ERROR_IO_PENDING) return std::nullopt;
      if (const auto ended = judge(op, put)) return ended;
    }
  }

  static std::span<std::byte> target(const read_op& op) noexcept {
    return op.into.empty() ? op.spill : op.into;
  }

  // Null: nothing but a write of no bytes by the peer, which is not the end.
  std::optional<ending> judge(read_op& op, const answer& got) {
    switch (got.cause) {
      case ERROR_SUCCESS:
        if (got.n == 0 && !target(op).empty()) return std::nullopt;
        if (got.n > 0 && end_.peer_unknown) learn_client(end_);
        return ending{{}, got.n};
      case ERROR_BROKEN_PIPE:
        return ending{};
      case ERROR_PIPE_NOT_CONNECTED:
        return std::exchange(reset_seen_, true) ? ending{} : ending{status_of(got.cause)};
      default:
        return ending{status_of(got.cause)};
    }
  }

  // Null: a piece went, and there may be more.
  std::optional<ending> judge(write_op& op, const answer& put) noexcept {
    written_ += put.n;
    consume(op.buffers, put.n);
    if (put.cause == ERROR_SUCCESS) return std::nullopt;
    status result = status_of(put.cause);
    if (result.code == errc::connection_reset) result.code = errc::broken_pipe;
    return ending{result, written_};
  }

  void read_ended() noexcept {
    auto ended = judge(*read_, reading_.collect(end_.handle.get()));
    if (!ended) ended = submit(*read_);
    if (ended) loop_.events.finish(*read_, ended->result, ended->n);
  }

  void write_ended() noexcept {
    auto ended = judge(*write_, writing_.collect(end_.handle.get()));
    if (!ended) ended = submit(*write_);
    if (ended) loop_.events.finish(*write_, ended->result, ended->n);
  }

  // Cancel, deadline and close: the transfer's true result if there is one, else `reason`.
  void end_with(op& op, errc reason) noexcept {
    if ((&op != read_ && &op != write_) || !undecided(op)) return;
    std::optional<ending> ended;
    if (phase_of(op) == op_phase::waiting) {
      const bool is_read = kind_of(op) == op_kind::read;
      const answer got = (is_read ? reading_ : writing_).abort(end_.handle.get());
      ended = is_read ? judge(*read_, got) : judge(*write_, got);
      if (!is_read && !ended && next_piece(write_->buffers, staging_).empty()) ended = ending{{}, written_};
    }
    if (!ended || ended->result.code == errc::cancelled)
      ended = ending{{reason}, ended ? ended->n : written_if(op)};
    loop_.events.finish(op, ended->result, ended->n);
  }

  [[nodiscard]] std::size_t written_if(const op& op) const noexcept { return &op == write_ ? written_ : 0; }

  void free_when_idle() noexcept {
    if (released_ && read_ == nullptr && write_ == nullptr) delete this;
  }

  void retry(op& op) noexcept override {
    const auto ended = &op == read_ ? submit(*read_) : submit(*write_);
    if (ended) loop_.events.finish(op, ended->result, ended->n);
  }
  void expire(op& op) noexcept override { end_with(op, errc::timed_out); }
  void leave(op& op) noexcept override {
    if (&op == read_) read_ = nullptr;
    if (&op == write_) write_ = nullptr;
    free_when_idle();
  }

  thread_loop loop_;
  pipe_end end_;
  overlapped_io reading_;
  overlapped_io writing_;
  std::vector<std::byte> staging_;
  read_op* read_ = nullptr;
  write_op* write_ = nullptr;
  std::size_t written_ = 0;
  bool reset_seen_ = false;
  bool released_ = false;
};
static_assert(backend::implements_released<half_open_stream, backend::byte_stream>);

}  // namespace

backend::stream_ptr make_half_open_stream(const thread_loop& loop, pipe_end end) {
  return backend::stream_ptr(new half_open_stream(loop, std::move(end)));
}

}  // namespace tp::platform
