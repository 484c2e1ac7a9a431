// A blocking stream while its connect shakes hands.
#pragma once

#include "blocking/meeting_system.hpp"

namespace tp::detail {

/// A read is made when the thread has nothing else to do, a write at once and, if that doesn't suffice, then.
/// It has one operation at a time.
class meeting_stream final : public backend::byte_stream {
 public:
  meeting_stream(meeting_system& system, backend::blocking_stream_ptr real) noexcept
      : system_(system), real_(std::move(real)) {}

  backend::start read(backend::read_op& op) override;
  backend::start write(backend::write_op& op) override;
  backend::start shutdown(backend::op& op) override { return real_->shutdown(op); }
  backend::start drain(backend::drain_op& op) override { return op.finish({errc::not_supported}); }
  void cancel(backend::op& op) noexcept override;
  void close() noexcept override;
  void release() noexcept override;
  [[nodiscard]] backend::detached_ptr detach() noexcept override;
  [[nodiscard]] const identity& peer() const noexcept override { return real_->peer(); }

  /// The pending operation's end, if it comes before the deadline. `stop`: what may interrupt that; null:
  /// nothing.
  void go_on(time_point deadline, backend::interrupt* stop);

 private:
  ~meeting_stream() = default;
  backend::start wait(backend::op& op);
  void end(backend::op& op, backend::status result, std::size_t n = 0) noexcept;

  meeting_system& system_;
  backend::blocking_stream_ptr real_;
  backend::read_op* reading_ = nullptr;
  backend::write_op* writing_ = nullptr;
  backend::read_op read_;    ///< the call that is made for the pending one
  backend::write_op write_;  ///< likewise
  std::size_t written_ = 0;
  bool closed_ = false;
};

}  // namespace tp::detail
