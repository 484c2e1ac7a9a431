// Drain, close and the end of an asynchronous connection.
#include "async/connection_state.hpp"

namespace tp::detail {

namespace {
constexpr std::uint16_t close_normal = 0;
constexpr std::uint16_t close_unread = 2;

// In the order of the sends, and gone once it was written; a drain that was stopped may leave one behind in
// the queue.
[[nodiscard]] core::outgoing& make_drain(std::uint64_t token) {
  auto* const item = new core::outgoing;
  item->what = core::outgoing::kind::control;
  item->frame = wire::make_control(wire::frame_type::drain, token);
  return *item;
}
}  // namespace

errc connection_state::refuse_drain() const noexcept {
  if (closed()) return errc::closed;
  if (draining_ != nullptr) return errc::operation_in_progress;
  if (terms_.framed ? !terms_.app_drain : !runtime_.twin().features().drain) return errc::not_supported;
  return errc::none;
}

void connection_state::begin(drain_operation& op) {
  if (const errc refused = refuse_drain(); refused != errc::none) {
    return op.end(std::unexpected(make_error(refused, operation::drain)), false);
  }
  if (send_failure_ != errc::none || inbound_.was_reset()) {
    return op.end(std::unexpected(make_error(errc::discarded, operation::drain)), false);
  }
  if (!unconfirmed_ && outbound_.items() == nullptr) return op.end({}, false);
  draining_ = &op;
  sent_since_drain_ = false;
  if (terms_.framed) {
    wanted_token_ = ++drain_token_;
    outbound_.push(make_drain(wanted_token_));
    push_out(during::call);
    if (op.pending()) pull_in(during::call);
  } else {
    push_out(during::call);
  }
  if (op.pending()) arm(op.deadline());
}

void connection_state::stop(drain_operation& op, errc reason) {
  op.stop_reason = reason;
  if (drain_op_.pending()) return stream_->cancel(drain_op_);
  end_drain(reason, during::turn);
}

void connection_state::end_drain(errc code, during when) {
  if (draining_ == nullptr) return;
  drain_operation& op = *std::exchange(draining_, nullptr);
  if (code == errc::none) unconfirmed_ = sent_since_drain_;
  result<void> outcome;
  if (code != errc::none) outcome = std::unexpected(make_error(code, operation::drain));
  op.end(std::move(outcome), in_turn(when));
}

void connection_state::on_drained(std::uint64_t token, during when) {
  if (draining_ != nullptr && token == wanted_token_) end_drain(errc::none, when);
  if (closing_ != nullptr && token == close_token_) part(delivery::delivered, when);
}

// Whoever waits for a confirmation won't get it any more.
void connection_state::on_stream_end(during when) {
  if (!terms_.framed) return;
  end_drain(errc::discarded, when);
  if (closing_ == nullptr || close_stage_ == close_stage::parting) return;
  finish_close(inbound_.was_reset() ? delivery::discarded : delivery::unknown, when);
}

// Unframed, once everything is written: the kernel tells when the peer's process has read it.
void connection_state::start_kernel_drain(during when) {
  const bool wanted =
      draining_ != nullptr || (closing_ != nullptr && close_stage_ == close_stage::confirming);
  if (terms_.framed || torn_down_ || !wanted || drain_op_.pending()) return;
  if (send_failure_ == errc::none && !outbound_.idle()) return;
  if (send_failure_ != errc::none) {
    end_drain(errc::discarded, when);
    if (closing_ != nullptr) finish_close(delivery::discarded, when);
    return;
  }
  if (stream_->drain(drain_op_) == backend::start::pending) return retain();
  kernel_drain_ended(when);
}

void connection_state::kernel_drain_ended(during when) {
  errc code = drain_op_.result.code;
  if (code == errc::connection_reset || (code == errc::none && inbound_.was_reset())) code = errc::discarded;
  if (code == errc::cancelled && draining_ != nullptr && draining_->stop_reason != errc::none) {
    code = draining_->stop_reason;
  }
  end_drain(code, when);
  if (closing_ == nullptr || torn_down_ || close_stage_ != close_stage::confirming) return;
  if (code == errc::none) return finish_close(delivery::delivered, when);
  finish_close(code == errc::discarded ? delivery::discarded : delivery::unknown, when);
}

void connection_state::begin(close_operation& op) {
  if (closed()) return op.end(std::unexpected(make_error(errc::closed, operation::close)), false);
  closing_ = &op;
  close_stage_ = close_stage::flushing;
  begin_close(during::call);
  if (op.pending()) arm(op.deadline());
}

void connection_state::stop(close_operation& op, errc) {
  if (&op == closing_) finish_close(close_outcome_, during::turn);
}

void connection_state::begin_close(during when) {
  if (receiving_ != nullptr) {
    if (read_op_.pending() && inbound_.uses_target()) {
      receiving_->stop_reason = errc::closed;
      stream_->cancel(read_op_);
    } else {
      cancel_receive(errc::closed, when);
    }
  }
  if (!drain_op_.pending()) end_drain(errc::closed, when);
  inbound_.discard_data();
  push_out(when);
  if (closing_ != nullptr && terms_.framed) pull_in(when);
}

// Flushing: what is queued goes. Confirming: the peer, or the kernel, says that it arrived. Parting: our
// CLOSE goes.
void connection_state::advance_close(during when) {
  if (closing_ == nullptr || torn_down_) return;
  if (send_failure_ != errc::none) {
    return finish_close(close_stage_ == close_stage::parting ? close_outcome_ : delivery::discarded, when);
  }
  if (!outbound_.idle() || write_op_.pending()) return;
  if (close_stage_ == close_stage::parting) return finish_close(close_outcome_, when);
  if (close_stage_ == close_stage::confirming) return;
  close_stage_ = close_stage::confirming;
  if (!unconfirmed_) return part(delivery::delivered, when);
  if (!terms_.framed && inbound_.was_reset()) return finish_close(delivery::discarded, when);
  if (!terms_.framed) return start_kernel_drain(when);
  if (!terms_.app_drain) return part(delivery::unknown, when);
  close_token_ = ++drain_token_;
  outbound_.push(make_drain(close_token_));
  push_out(when);
}

void connection_state::part(delivery outcome, during when) {
  if (!terms_.framed || inbound_.stream_ended()) return finish_close(outcome, when);
  close_outcome_ = outcome;
  close_stage_ = close_stage::parting;
  answer(wire::make_close(inbound_.dropped() ? close_unread : close_normal), when);
}

void connection_state::finish_close(delivery outcome, during when) {
  close_operation& op = *std::exchange(closing_, nullptr);
  tear_down(errc::closed);
  op.end(outcome, in_turn(when));
}

// What the kernel still holds a buffer of ends with its operation; everything else ends on a later turn.
void connection_state::tear_down(errc reason) {
  if (torn_down_) return;
  const ref<connection_state> self(this);
  torn_down_ = true;
  teardown_reason_ = reason;
  stream_->close();
  slot_.release();
  if (timer_op_.pending()) runtime_.system().cancel(timer_op_);
  if (receiving_ != nullptr && !(read_op_.pending() && inbound_.uses_target()))
    cancel_receive(reason, during::call);
  if (!write_op_.pending()) {
    fail_sends(reason);
    settle(during::call);
  }
  end_drain(reason, during::call);
  if (closing_ != nullptr) {
    std::exchange(closing_, nullptr)->end(close_outcome_, false);
  }
}

}  // namespace tp::detail
