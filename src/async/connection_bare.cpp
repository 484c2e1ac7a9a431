// What most sends and receives of a connection without frames come to: one call of the stream, while nothing
// else is under way. It leaves the state as the long ways of connection_send.cpp and connection_receive.cpp
// would, which are taken in all other cases, before anything has changed. Between two turns the kernel and
// other processes have the processor's cache; so what runs in each turn is short and stands together.
#include "async/connection_operation_steps.hpp"

namespace tp::detail {

// Without frames all that waits to be written stands in the queue, and a write that isn't over has its node.
bool connection_state::may_write_past(std::size_t bytes) const noexcept {
  const bool idle = outbound_.items() == nullptr && !write_op_.is_lent() && send_failure_ == errc::none;
  return sends_bare_ && bytes > 0 && idle && !end_queued_ && !closed();
}

bool connection_state::may_read_past() const noexcept {
  const bool idle = receiving_ == nullptr && !read_op_.pending() && !inbound_.over();
  return receives_bare_ && idle && !closed();
}

[[gnu::hot]] void connection_state::begin(send_operation& op) {
  const std::size_t bytes = op.item.payload.size();
  if (!may_write_past(bytes) || joining_ || draining_ != nullptr) return begin_send(op);
  sent_since_drain_ = true;
  op.item.alone = op.item.payload;
  auto& write = borrow<&connection_state::write_ended>(write_op_);
  write.buffers = {&op.item.alone, 1};
  const backend::start how = stream_->write(write);
  if (how != backend::start::done || !write.result.ok()) return keep_sending(op, how);
  write_op_.give_back(runtime_.memory.ops);
  unconfirmed_ = true;
  op.succeed_now(bytes);
}

[[gnu::hot]] void connection_state::begin(receive_operation& op) {
  if (!may_read_past() || op.into != nullptr || op.span.empty()) return begin_receive(op);
  receiving_ = &op;
  read_op_.into = inbound_.begin_read(op.span);
  read_op_.spill = {};
  readable_ = waiting_readable_ = false;
  if (stream_->read(read_op_) == backend::start::pending) {
    retain();
    if (op.deadline() != never) arm(op.deadline());
    return;
  }
  if (!read_op_.result.ok() || read_op_.n == 0) {
    take_read();
    pull_in(during::call);
    if (op.pending()) arm(op.deadline());
    return;
  }
  receiving_ = nullptr;
  op.succeed_now(inbound_.end_read(read_op_.n));
}

[[gnu::hot]] inline void connection_state::read_ended() {
  const bool bare = !terms_.framed && receiving_ != nullptr && closing_ == nullptr && !torn_down_;
  if (!bare || waiting_readable_ || !read_op_.result.ok() || read_op_.n == 0) return take_read_bytes();
  std::exchange(receiving_, nullptr)->succeed(inbound_.end_read(read_op_.n), true);
}

backend::op::handler connection_state::when_read() noexcept {
  return handler<&connection_state::read_ended>();
}

// What a coroutine calls.

[[gnu::hot]] bool operation_calls<send_result>::start(typed_operation<send_result>& op) {
  return static_cast<send_operation&>(op).start();
}
[[gnu::hot]] send_result operation_calls<send_result>::take(typed_operation<send_result>& op) {
  return static_cast<send_operation&>(op).take();
}
[[gnu::hot]] bool operation_calls<result<received>>::start(typed_operation<result<received>>& op) {
  return static_cast<receive_operation&>(op).start();
}
[[gnu::hot]] result<received> operation_calls<result<received>>::take(typed_operation<result<received>>& op) {
  return static_cast<receive_operation&>(op).take();
}

}  // namespace tp::detail
