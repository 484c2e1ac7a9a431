// A blocking connection over a stream of paper.
#include "blocking_rig.hpp"

#include <algorithm>

namespace tp::test {

namespace {

class paper_interrupt final : public backend::interrupt {
 public:
  explicit paper_interrupt(idle_moments& meanwhile) : meanwhile_(meanwhile) {}
  void raise() noexcept override { raised = true; }
  void lower() noexcept override { raised = false; }
  bool wait(time_point deadline) override {
    while (!raised && meanwhile_.pass(deadline)) {
    }
    return raised;
  }
  bool raised = false;

 private:
  idle_moments& meanwhile_;
};

}  // namespace

bool idle_moments::pass(time_point deadline) {
  if (deadline <= threads_.time) return false;
  if (!next_.empty()) {
    const auto what = std::move(next_.front());
    next_.pop_front();
    what();
    return true;
  }
  if (deadline == never) {
    FAIL_CHECK("a thread waits, and nothing will ever wake it");
    return false;
  }
  threads_.time = deadline;
  return true;
}

backend::start paper_pipe::read(backend::read_op& op) {
  while (!closed && reads.empty()) {
    if (!meanwhile_.pass(op.deadline)) return op.finish({errc::timed_out});
  }
  if (closed) return op.finish({errc::closed});
  read_answer& next = reads.front();
  const std::size_t into = std::min(next.bytes.size(), op.into.size());
  const std::size_t spilt = std::min(next.bytes.size() - into, op.spill.size());
  std::ranges::copy_n(next.bytes.begin(), static_cast<std::ptrdiff_t>(into), op.into.begin());
  std::ranges::copy_n(next.bytes.begin() + static_cast<std::ptrdiff_t>(into),
                      static_cast<std::ptrdiff_t>(spilt), op.spill.begin());
  const errc code = next.code;
  next.bytes.erase(next.bytes.begin(), next.bytes.begin() + static_cast<std::ptrdiff_t>(into + spilt));
  if (next.bytes.empty()) reads.pop_front();
  return op.finish({code}, code == errc::none ? into + spilt : 0);
}

backend::start paper_pipe::write(backend::write_op& op) {
  std::size_t went = 0;
  while (!op.buffers.empty()) {
    if (closed) return op.finish({errc::closed}, went);
    if (write_error != errc::none) return op.finish({write_error}, went);
    backend::const_buffer& next = op.buffers.front();
    const std::size_t takes = std::min(next.size(), room);
    written.insert(written.end(), next.begin(), next.begin() + static_cast<std::ptrdiff_t>(takes));
    if (room != SIZE_MAX) room -= takes;
    went += takes;
    next = next.subspan(takes);
    if (next.empty()) {
      op.buffers = op.buffers.subspan(1);
    } else if (!meanwhile_.pass(op.deadline)) {
      return op.finish({errc::timed_out}, went);
    }
  }
  return op.finish({}, went);
}

backend::start paper_pipe::drain(backend::drain_op& op) {
  while (!closed && !drained) {
    if (!meanwhile_.pass(op.deadline)) return op.finish({errc::timed_out});
  }
  return op.finish({closed ? errc::closed : errc::none});
}

backend::status paper_pipe::wait(backend::readiness what, time_point deadline, backend::interrupt* until) {
  ++questions;
  const auto asks = [what](backend::readiness one) {
    return (static_cast<int>(what) & static_cast<int>(one)) != 0;
  };
  for (;;) {
    if (closed) return {errc::closed};
    if (asks(backend::readiness::readable) && !reads.empty()) return {};
    if (asks(backend::readiness::writable) && room > 0) return {};
    if (until != nullptr && static_cast<paper_interrupt*>(until)->raised) return {errc::cancelled};
    if (!meanwhile_.pass(deadline)) return {errc::timed_out};
  }
}

blocking_rig::blocking_rig(const core::terms& terms) {
  expected_.push_back(NAMED_ALLOW_CALL(twin, make_interrupt())
                          .LR_RETURN(without_descriptors
                                         ? result<std::unique_ptr<backend::interrupt>>(
                                               std::unexpected(error(errc::no_resources, operation::receive)))
                                         : result<std::unique_ptr<backend::interrupt>>(
                                               std::make_unique<paper_interrupt>(meanwhile))));
  threads.time = time_point(std::chrono::hours(1));
  connection = std::make_unique<detail::blocking_connection_state>(
      *owner, backend::blocking_stream_ptr(&pipe),
      detail::established{nullptr, terms, make_text("paper"), {}});
}

}  // namespace tp::test
