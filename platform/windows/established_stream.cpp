// A pipe adopted by libuv.
#include <io.h>

#include <cassert>
#include <utility>

#include "twinpipe/backend/twin.hpp"
#include "windows/errors.hpp"
#include "windows/gather.hpp"
#include "windows/loop.hpp"

namespace tp::platform {
namespace {

using backend::op;
using backend::read_op;
using backend::start;
using backend::status;
using backend::write_op;

// Reading: libuv waits with a read of no bytes and asks for memory only when there is something, so the
// caller's buffer is the kernel's for no longer than a copy takes, and a read ends as soon as it is
// cancelled.
class established_stream final : public backend::byte_stream, op_owner {
 public:
  established_stream(event_loop& loop, pipe_end end) noexcept : loop_(loop), end_(std::move(end)) {}

  /// 0 or an error of libuv; then the stream can only be released.
  [[nodiscard]] int open() {
    uv_pipe_init(loop_.uv(), &pipe_, 0);  // only initialises memory
    loop_.unref(pipe_);
    pipe_.data = this;
    const int descriptor = _open_osfhandle(reinterpret_cast<std::intptr_t>(end_.handle.get()), 0);
    if (descriptor < 0) return UV_EMFILE;  // the C library's table has 2,048 places
    (void)end_.handle.release();           // the descriptor's now
    const int code = uv_pipe_open(&pipe_, descriptor);
    if (code < 0) _close(descriptor);
    return code;
  }

  start read(read_op& op) override {
    if (closed_) return op.finish({errc::closed});
    const int code = uv_read_start(as_stream(), provide, arrived);
    if (code < 0) return ended_at_once(op, read_, op_kind::read, status_of_uv(code), 0);
    read_ = &op;
    return loop_.wait(op, *this, op_kind::read);
  }

  start write(write_op& op) override {
    if (closed_) return op.finish({errc::closed});
    written_ = 0;
    stop_reason_ = errc::none;
    write_ = &op;
    const int code = write_next();
    if (write_pending_) return loop_.wait(op, *this, op_kind::write);
    write_ = nullptr;
    return ended_at_once(op, write_, op_kind::write, status_of_uv(code), written_);
  }

  start shutdown(op& op) override { return op.finish({errc::not_supported}); }
  start drain(backend::drain_op& op) override { return op.finish({errc::not_supported}); }

  void cancel(op& op) noexcept override { stop(op, errc::cancelled); }

  void close() noexcept override {
    if (std::exchange(closed_, true)) return;
    if (read_ != nullptr) stop(*read_, errc::closed);
    if (write_ != nullptr) stop(*write_, errc::closed);
    uv_close(reinterpret_cast<uv_handle_t*>(&pipe_), [](uv_handle_t* handle) {
      auto* self = static_cast<established_stream*>(handle->data);
      self->end_.place.reset();
      self->gone_ = true;
      self->free_when_idle();
    });
  }

  void release() noexcept override {
    close();
    released_ = true;
    free_when_idle();
  }

  // libuv has tied the handle to its loop's completion port.
  backend::detached_ptr detach() noexcept override { return nullptr; }

  [[nodiscard]] const identity& peer() const noexcept override { return end_.peer; }

 private:
  ~established_stream() = default;

  uv_stream_t* as_stream() noexcept { return reinterpret_cast<uv_stream_t*>(&pipe_); }

  template <class Op>
  start ended_at_once(Op& op, Op*& slot, op_kind kind, status result, std::size_t n) noexcept {
    const start answer = loop_.done_or_later(op, *this, kind, result, n);
    if (answer == start::pending) slot = &op;
    return answer;
  }

  static void provide(uv_handle_t* handle, std::size_t, uv_buf_t* out) {
    const read_op& op = *static_cast<established_stream*>(handle->data)->read_;
    const auto target = op.into.empty() ? op.spill : op.into;
    const auto length = static_cast<unsigned>(std::min<std::size_t>(target.size(), 1u << 30));
    *out = uv_buf_init(reinterpret_cast<char*>(target.data()), length);
  }

  static void arrived(uv_stream_t* handle, ssize_t n, const uv_buf_t*) {
    if (n != 0) static_cast<established_stream*>(handle->data)->read_ended(n);
  }

  void read_ended(ssize_t n) noexcept {
    uv_read_stop(as_stream());
    if (n > 0) {
      loop_.finish(*read_, {}, static_cast<std::size_t>(n));
    } else if (n == UV_EOF || n == UV_ENOBUFS) {
      loop_.finish(*read_, {});  // ENOBUFS: no buffer was given, so this was a wait until there is something
    } else if (n == UV_EPIPE) {
      // libuv's name for 233 too: the server has disconnected. Once; the next read is the end.
      const bool again = std::exchange(reset_seen_, true);
      loop_.finish(*read_, again ? status{} : status{errc::connection_reset, UV_EPIPE});
    } else {
      loop_.finish(*read_, status_of_uv(static_cast<int>(n)));
    }
  }

  // Zero and write_pending_: a piece is on its way. Zero without it: all are written.
  int write_next() noexcept {
    const auto piece = next_piece(write_->buffers, staging_);
    write_pending_ = false;
    if (piece.empty()) return 0;
    piece_ = piece.size();
    uv_buf_t buffer = uv_buf_init(reinterpret_cast<char*>(const_cast<std::byte*>(piece.data())),
                                  static_cast<unsigned>(piece.size()));
    request_.data = this;
    const int code = uv_write(&request_, as_stream(), &buffer, 1, [](uv_write_t* request, int result) {
      static_cast<established_stream*>(request->data)->piece_ended(result);
    });
    write_pending_ = code == 0;
    return code;
  }

  void piece_ended(int code) noexcept {
    write_pending_ = false;
    if (code == 0) {
      written_ += piece_;
      consume(write_->buffers, piece_);
      const bool stop_here = stop_reason_ != errc::none && !next_piece(write_->buffers, staging_).empty();
      if (stop_here)
        code = UV_ECANCELED;
      else
        code = write_next();
      if (write_pending_) return;
    }
    status result = status_of_uv(code);
    if (result.code == errc::cancelled && stop_reason_ != errc::none) result = {stop_reason_, code};
    loop_.finish(*write_, result, written_);
  }

  void stop(op& op, errc reason) noexcept {
    if (!undecided(op)) return;
    if (&op == read_) {
      uv_read_stop(as_stream());
      loop_.finish(op, {reason});
    } else if (&op == write_ && stop_reason_ == errc::none) {
      // The buffer is the kernel's until libuv calls back; see CancelIoEx.
      stop_reason_ = reason;
      CancelIoEx(pipe_.handle, &request_.u.io.overlapped);
    }
  }

  void free_when_idle() noexcept {
    if (released_ && gone_ && read_ == nullptr && write_ == nullptr) delete this;
  }

  void retry(op&) noexcept override { assert(false && "no start is ever postponed here"); }
  void expire(op& op) noexcept override { stop(op, errc::timed_out); }
  void leave(op& op) noexcept override {
    if (&op == read_) read_ = nullptr;
    if (&op == write_) write_ = nullptr;
    free_when_idle();
  }

  event_loop& loop_;
  pipe_end end_;
  uv_pipe_t pipe_{};
  uv_write_t request_{};
  std::vector<std::byte> staging_;
  read_op* read_ = nullptr;
  write_op* write_ = nullptr;
  std::size_t piece_ = 0;
  std::size_t written_ = 0;
  errc stop_reason_ = errc::none;
  bool write_pending_ = false;
  bool reset_seen_ = false;
  bool closed_ = false;
  bool gone_ = false;
  bool released_ = false;
};
static_assert(backend::implements_released<established_stream, backend::byte_stream>);

}  // namespace

result<backend::stream_ptr> make_established_stream(event_loop& loop, pipe_end end) {
  auto* made = new established_stream(loop, std::move(end));
  backend::stream_ptr stream(made);
  if (const int code = made->open(); code < 0) return fail(status_of_uv(code).code, operation::none, code);
  return stream;
}

}  // namespace tp::platform
