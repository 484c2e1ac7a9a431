// A blocking stream between the connection's state and the threads that call.
#include "blocking/caller_stream.hpp"

#include <utility>

#include "twinpipe/backend/twin.hpp"

namespace tp::detail {

using backend::start;
using backend::status;

static_assert(backend::implements_released<caller_stream, backend::byte_stream>);

namespace {
[[nodiscard]] bool is_little(std::span<const backend::const_buffer> buffers) noexcept {
  std::size_t total = 0;
  for (const auto& each : buffers) {
    total += each.size();
    if (total > little) return false;
  }
  return true;
}
}  // namespace

start caller_stream::read(backend::read_op& op) {
  if (closed_) return op.finish({errc::closed});
  if (reads_bare_) {
    reading_ = {.op = &op, .who = bare_reader_, .claimed = true};
    return op.begin();
  }
  if (std::exchange(read_is_known_, false)) return op.finish(read_.result, read_.n);
  read_.into = op.into;
  read_.spill = op.spill;
  if (tries_ > 0) {
    --tries_;
    try_read();
    if (read_.result.code != errc::timed_out) return op.finish(read_.result, read_.n);
  }
  reading_ = {.op = &op};
  return op.begin();
}

start caller_stream::write(backend::write_op& op) {
  if (closed_) return op.finish({errc::closed});
  written_ = 0;
  write_.buffers = op.buffers;
  if (is_little(op.buffers)) {
    write_.deadline = at_once;
    real_->write(write_);
    if (write_.result.code != errc::timed_out) return op.finish(write_.result, write_.n);
    written_ = write_.n;
  }
  writing_ = {.op = &op};
  return op.begin();
}

start caller_stream::shutdown(backend::op& op) {
  return closed_ ? op.finish({errc::closed}) : real_->shutdown(op);
}

start caller_stream::drain(backend::drain_op& op) {
  if (closed_) return op.finish({errc::closed});
  drain_.deadline = at_once;
  real_->drain(drain_);
  if (drain_.result.code != errc::timed_out) return op.finish(drain_.result);
  draining_ = &op;
  return op.begin();
}

void caller_stream::try_drain() {
  drain_.deadline = at_once;
  real_->drain(drain_);
  if (drain_.result.code != errc::timed_out)
    system_.finish(*std::exchange(draining_, nullptr), drain_.result);
}

std::size_t caller_stream::try_write(std::span<const std::byte> bytes) {
  backend::const_buffer all = bytes;
  write_.buffers = std::span(&all, 1);
  write_.deadline = at_once;
  real_->write(write_);
  return write_.n;
}

void caller_stream::begin_bare_read(std::span<std::byte> into, backend::interrupt* who) noexcept {
  read_.into = into;
  read_.spill = {};
  bare_reader_ = who;
  reads_bare_ = true;
  read_is_known_ = false;
}

std::size_t caller_stream::end_bare_read() noexcept {
  reads_bare_ = false;
  if (reading_.op != nullptr) return 0;
  if (read_.result.ok() && read_.n > 0) return read_.n;
  read_is_known_ = read_.result.code != errc::timed_out;  // nothing has become of that
  return 0;
}

void caller_stream::do_read(time_point deadline) {
  read_.deadline = deadline;
  real_->read(read_);
}

void caller_stream::do_write(time_point deadline) {
  write_.deadline = deadline;
  real_->write(write_);
}

void caller_stream::try_read() {
  if (!only_waits()) return do_read(at_once);
  read_.n = 0;
  read_.result = real_->wait(backend::readiness::readable, at_once, nullptr);
}

// What only interrupts a wait is no end of the work.
void caller_stream::skip(backend::op& call, status waited) noexcept {
  const bool goes_on = waited.code == errc::cancelled || waited.code == errc::timed_out;
  call.finish(goes_on ? status{errc::timed_out} : waited);
}

bool caller_stream::settle_read() noexcept {
  reading_.claimed = false;
  reading_.who = nullptr;
  if (read_.result.code != errc::timed_out) return end(reading_, read_.result, read_.n);
  if (closed_) return end(reading_, {errc::closed});
  return reading_.cancelled && end(reading_, {errc::cancelled});
}

bool caller_stream::settle_write() noexcept {
  writing_.claimed = false;
  writing_.who = nullptr;
  written_ += write_.n;
  if (write_.result.code != errc::timed_out) return end(writing_, write_.result, written_);
  if (closed_) return end(writing_, {errc::closed}, written_);
  return writing_.cancelled && end(writing_, {errc::cancelled}, written_);
}

bool caller_stream::end(work& which, status result, std::size_t n) noexcept {
  system_.finish(*std::exchange(which.op, nullptr), result, n);
  return true;
}

// Work that a thread has claimed ends with its call: soon, if the thread can be reached.
void caller_stream::cancel(work& which) noexcept {
  which.cancelled = true;
  if (!which.claimed) {
    end(which, {errc::cancelled}, &which == &writing_ ? written_ : 0);
  } else if (which.who != nullptr) {
    which.who->raise();
  }
}

void caller_stream::cancel(backend::op& op) noexcept {
  if (&op == reading_.op) return cancel(reading_);
  if (&op == writing_.op) return cancel(writing_);
  if (&op == draining_) system_.finish(*std::exchange(draining_, nullptr), {errc::cancelled});
}

void caller_stream::close() noexcept {
  if (std::exchange(closed_, true)) return;
  real_->close();
  if (read_waits()) end(reading_, {errc::closed});
  if (write_waits()) end(writing_, {errc::closed}, written_);
  if (draining_ != nullptr) system_.finish(*std::exchange(draining_, nullptr), {errc::closed});
}

}  // namespace tp::detail
