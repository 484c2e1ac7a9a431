// A blocking stream while its connect shakes hands.
#include "blocking/meeting_stream.hpp"

#include <cassert>
#include <utility>

#include "twinpipe/backend/twin.hpp"

namespace tp::detail {

using backend::readiness;
using backend::start;
using backend::status;

static_assert(backend::implements_released<meeting_stream, backend::byte_stream>);

namespace {
constexpr time_point one_try = time_point::min();
}  // namespace

start meeting_stream::read(backend::read_op& op) {
  if (closed_) return op.finish({errc::closed});
  reading_ = &op;
  return wait(op);
}

start meeting_stream::write(backend::write_op& op) {
  if (closed_) return op.finish({errc::closed});
  write_.buffers = op.buffers;
  write_.deadline = one_try;
  real_->write(write_);
  if (write_.result.code != errc::timed_out) return op.finish(write_.result, write_.n);
  written_ = write_.n;
  writing_ = &op;
  return wait(op);
}

start meeting_stream::wait(backend::op& op) {
  assert(system_.waiting_ == nullptr && "one operation at a time");
  assert(op.deadline == never && "a connect has one deadline, which isn't its stream's");
  system_.waiting_ = this;
  return op.begin();
}

// Where it may be interrupted, what is waited for and what is done then are two calls.
void meeting_stream::go_on(time_point deadline, backend::interrupt* stop) {
  if (stop != nullptr) {
    const auto what = reading_ != nullptr ? readiness::readable : readiness::writable;
    const status waited = real_->wait(what, deadline, stop);
    if (waited.code == errc::cancelled) return;
    if (!waited.ok() && waited.code != errc::timed_out)
      return reading_ != nullptr ? end(*reading_, waited) : end(*writing_, waited, written_);
    deadline = one_try;
  }
  if (reading_ != nullptr) {
    read_.into = reading_->into;
    read_.spill = reading_->spill;
    read_.deadline = deadline;
    real_->read(read_);
    if (read_.result.code != errc::timed_out) end(*reading_, read_.result, read_.n);
  } else {
    write_.deadline = deadline;
    real_->write(write_);
    written_ += write_.n;
    if (write_.result.code != errc::timed_out) end(*writing_, write_.result, written_);
  }
}

void meeting_stream::end(backend::op& op, status result, std::size_t n) noexcept {
  reading_ = nullptr;
  writing_ = nullptr;
  system_.waiting_ = nullptr;
  system_.finish(op, result, n);
}

void meeting_stream::cancel(backend::op& op) noexcept {
  if (&op == reading_) return end(op, {errc::cancelled});
  if (&op == writing_) end(op, {errc::cancelled}, written_);
}

void meeting_stream::close() noexcept {
  if (std::exchange(closed_, true)) return;
  real_->close();
  if (reading_ != nullptr) return end(*reading_, {errc::closed});
  if (writing_ != nullptr) end(*writing_, {errc::closed}, written_);
}

void meeting_stream::release() noexcept {
  close();
  delete this;
}

backend::detached_ptr meeting_stream::detach() noexcept {
  if (closed_ || reading_ != nullptr || writing_ != nullptr) return nullptr;
  closed_ = true;
  return real_->detach();
}

}  // namespace tp::detail
