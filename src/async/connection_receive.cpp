// The receiving side of an asynchronous connection.
#include "async/connection_state.hpp"

namespace tp::detail {

using step = core::inbound::step;

namespace {
// A peer that asks faster than it reads the answers.
constexpr std::size_t replies_max = 64;
}  // namespace

void connection_state::begin(receive_operation& op) {
  errc refused = errc::none;
  if (receiving_ != nullptr) refused = errc::operation_in_progress;
  if (!terms_.can_receive) refused = errc::wrong_direction;
  if (closed()) refused = closed_reason();
  if (refused != errc::none) return op.end(std::unexpected(make_error(refused, operation::receive)), false);
  receiving_ = &op;
  op.into != nullptr ? inbound_.begin(*op.into) : inbound_.begin(op.span);
  pull_in(during::call);
  if (op.pending()) arm(op.deadline());
}

// Reads until the stream makes us wait or nobody wants more.
void connection_state::pull_in(during when) {
  for (;;) {
    if (torn_down_) {
      if (receiving_ == nullptr || read_op_.pending()) return;
      if (inbound_.advance() == step::received) return finish_receive(inbound_.outcome(), when);
      return cancel_receive(teardown_reason_, when);
    }
    switch (inbound_.advance()) {
      case step::received:
        finish_receive(inbound_.outcome(), when);
        continue;
      case step::failed:
        if (receiving_ != nullptr) {
          finish_receive(std::unexpected(make_error(inbound_.failure(), operation::receive, receive_cause_)),
                         when);
          continue;
        }
        return on_stream_end(when);
      case step::broken:
        return on_protocol_error(when);
      case step::control:
        on_control(when);
        continue;
      case step::idle:
        if (inbound_.stream_ended()) on_stream_end(when);
        return;
      case step::needs_bytes:
        if (read_op_.pending()) return;
        if (receiving_ != nullptr && receiving_->stop_reason != errc::none) {
          cancel_receive(receiving_->stop_reason, when);
          continue;
        }
        if (receiving_ == nullptr && when == during::call && closing_ == nullptr) return watch_for_control();
        if (!start_read()) return;
    }
  }
}

// True if the read ended at once. With nobody receiving it first only waits, so that an idle connection holds
// no buffer.
bool connection_state::start_read() {
  read_op_.into = {};
  read_op_.spill = {};
  waiting_readable_ = receiving_ == nullptr && !readable_;
  if (!waiting_readable_) {
    const auto plan = inbound_.plan();
    read_op_.into = plan.into;
    read_op_.spill = plan.spill;
    readable_ = false;
  }
  if (stream_->read(read_op_) == backend::start::pending) {
    retain();
    return false;
  }
  take_read();
  return true;
}

void connection_state::take_read() {
  const bool waited = std::exchange(waiting_readable_, false);
  switch (read_op_.result.code) {
    case errc::none:
      if (waited) {
        readable_ = true;
      } else if (read_op_.n > 0) {
        inbound_.filled(read_op_.n);
      } else {
        inbound_.ended(false);
      }
      break;
    case errc::cancelled:
      inbound_.filled(0);
      break;
    case errc::connection_reset:
      inbound_.ended(true);
      break;
    default:
      inbound_.fail(read_op_.result.code);
      receive_cause_ = read_op_.result.system_cause;
  }
}

void connection_state::read_ended() {
  take_read();
  pull_in(during::turn);
}

void connection_state::finish_receive(result<received> outcome, during when) {
  std::exchange(receiving_, nullptr)->end(std::move(outcome), in_turn(when));
}

void connection_state::cancel_receive(errc reason, during when) {
  if (inbound_.cancel()) return finish_receive(inbound_.outcome(), when);
  finish_receive(std::unexpected(make_error(reason, operation::receive)), when);
}

// A read straight into the caller's memory must end first: until then the memory is the kernel's.
void connection_state::stop(receive_operation& op, errc reason) {
  if (op.stop_reason != errc::none) return;
  op.stop_reason = reason;
  if (read_op_.pending() && inbound_.uses_target()) return stream_->cancel(read_op_);
  cancel_receive(reason, during::turn);
  watch_for_control();
}

void connection_state::on_control(during when) {
  using wire::frame_parser;
  const frame_parser::event event = inbound_.event();
  switch (event.what) {
    case frame_parser::kind::drain:
      if (inbound_.dropped()) break;  // the application hasn't got everything before it, and won't
      answer(wire::make_control(wire::frame_type::drained, event.token), when);
      break;
    case frame_parser::kind::ping:
      answer(wire::make_control(wire::frame_type::pong, event.token), when);
      break;
    case frame_parser::kind::drained:
      on_drained(event.token, when);
      break;
    default:
      break;  // the inbound half keeps what the others mean for data; an unasked PONG is harmless
  }
  if (outbound_.replies_waiting() > replies_max) {
    inbound_.fail(errc::protocol_error);
    on_protocol_error(when);
  }
}

// The peer can't be understood any more. It's told so, as far as that is possible without waiting.
void connection_state::on_protocol_error(during when) {
  constexpr std::uint16_t close_protocol_error = 1;
  answer(wire::make_close(close_protocol_error), when);
  receive_operation* const waiting = std::exchange(receiving_, nullptr);
  tear_down(inbound_.failure());
  if (waiting == nullptr) return;
  waiting->end(std::unexpected(make_error(inbound_.failure(), operation::receive)), in_turn(when));
}

// Control frames must be answered though nobody receives: a wait for the stream to become readable, in a
// later turn.
void connection_state::watch_for_control() {
  if (!terms_.framed || torn_down_ || background_op_.pending() || read_op_.pending()) return;
  retain();
  runtime_.system().schedule(background_op_);
}

}  // namespace tp::detail
