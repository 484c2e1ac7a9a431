// The receiving side of an asynchronous connection.
#include "async/connection_state.hpp"

namespace tp::detail {

using step = core::inbound::step;

namespace {
// docs/protocol.md §6: a peer with more questions open breaks the rules, or doesn't read the answers.
constexpr std::size_t replies_max = 32;
}  // namespace

[[gnu::hot]] errc connection_state::refuse_receive() const noexcept {
  if (closed()) return closed_reason_to_receive();
  if (!terms_.can_receive) return errc::wrong_direction;
  if (receiving_ != nullptr) return errc::operation_in_progress;
  return errc::none;
}

[[gnu::hot]] void connection_state::begin_receive(receive_operation& op) {
  if (const errc refused = refuse_receive(); refused != errc::none)
    return fail_now(op, receive_error(refused));
  receiving_ = &op;
  op.into != nullptr ? inbound_.begin(*op.into) : inbound_.begin(op.span);
  const bool only_reads = inbound_.has_nothing() && reading_ == nullptr && !withholds() && !answers_due_;
  if (!only_reads || start_read()) pull_in(during::call);
  if (op.pending()) arm(op.deadline());
}

// Reads until the stream makes us wait or nobody wants more. Answers to the peer go when all that has come
// was looked at, many in one write.
[[gnu::hot]] void connection_state::pull_in(during when) {
  for (wire::frame_parser::event event;;) {
    if (torn_down_) {
      if (receiving_ == nullptr || reading_ != nullptr) return;
      if (inbound_.advance(event) == step::received) return finish_receive(inbound_.outcome(), when);
      return cancel_receive(teardown_reason_, when);
    }
    const step made = inbound_.advance(event);
    release_withheld();
    if (made == step::idle || made == step::needs_bytes) {
      const bool goes_on = closing_ != nullptr && owes_close(when);
      if (std::exchange(answers_due_, false) || goes_on) {
        push_out(when);
        continue;
      }
    }
    switch (made) {
      case step::received:
        finish_receive(inbound_.outcome(), when);
        if (reading_ != nullptr) return;  // the next receive has looked already
        continue;
      case step::failed:
        if (receiving_ != nullptr) {
          fail_receive(inbound_.failure(), receive_cause_, when);
          continue;
        }
        on_stream_end(when);
        // Nobody here was told, and no question of the peer's will be answered: only the end can tell it.
        if (unheard_failure_ && terms_.framed && closing_ == nullptr) tear_down(errc::connection_lost);
        return;
      case step::broken:
        return on_protocol_error(when);
      case step::control:
        on_control(event, when);
        continue;
      case step::idle:
        if (inbound_.stream_ended()) on_stream_end(when);
        return;
      case step::needs_bytes:
        if (reading_ != nullptr) return;
        if (receiving_ != nullptr && receiving_->stop_reason != errc::none && !readable_) {
          cancel_receive(receiving_->stop_reason, when);
          continue;
        }
        // How the stream ends behind a CLOSE is of interest only to who asks what became of its bytes.
        if (inbound_.closed_by_peer() && closing_ == nullptr && draining_ == nullptr) return;
        if (!may_look()) return;
        if (receiving_ == nullptr && when == during::call && closing_ == nullptr) return watch_for_control();
        if (start_read()) continue;
        // It was told that a read would not wait, and now it has to: not any longer than the stop allows.
        if (receiving_ != nullptr && receiving_->stop_reason != errc::none) stream_->cancel(*reading_);
        return;
    }
  }
}

// True if the read ended at once. Where it is likely to wait it waits without memory first, as it does with
// nobody receiving: who waits needs no block then.
[[gnu::hot]] bool connection_state::start_read() {
  auto& read =
      lent_read_.is_lent() ? *lent_read_ : lent_read_.borrow(runtime_.memory.reads, when_read(), this);
  read.into = {};
  read.spill = {};
  // A thread that waits in the read itself saves a call of the system; the memory is its own for that time.
  const bool lends_first = terms_.framed && inbound_.came_short() && !runtime_.left_to_callers();
  waiting_readable_ = !readable_ && (receiving_ == nullptr || lends_first);
  if (!waiting_readable_) {
    const auto plan = inbound_.plan();
    read.into = plan.into;
    read.spill = plan.spill;
    readable_ = false;
  }
  if (stream_->read(read) == backend::start::pending) {
    reading_ = &read;
    retain();
    return false;
  }
  take_read(read);
  return true;
}

[[gnu::hot]] void connection_state::take_read(const backend::read_op& read) {
  const bool waited = std::exchange(waiting_readable_, false);
  const std::size_t bytes = read.n;
  const backend::status result = read.result;
  reading_ = nullptr;
  // With frames the next one follows: it is always waited for what the peer asks.
  if (!terms_.framed && lent_read_.is_lent()) lent_read_.give_back(runtime_.memory.reads);
  switch (result.code) {
    case errc::none:
      if (waited) {
        readable_ = true;
      } else if (bytes > 0) {
        inbound_.filled(bytes);
      } else {
        inbound_.ended(false);
      }
      break;
    case errc::cancelled:
      if (!waited) inbound_.filled(0);
      if (last_look_ == last_look::under_way) last_look_ = last_look::found_nothing;
      break;
    case errc::connection_reset:
      inbound_.ended(true);
      break;
    default:
      if (!waited) inbound_.filled(0);
      inbound_.fail(result.code);
      receive_cause_ = result.system_cause;
      unheard_failure_ = receiving_ == nullptr;
  }
}

[[gnu::hot]] void connection_state::take_read_bytes() {
  take_read(*reading_);
  const bool expected = readable_ && receiving_ != nullptr && receiving_->stop_reason == errc::none;
  if (expected && !torn_down_ && closing_ == nullptr && !start_read()) return;
  pull_in(during::turn);
  if (closing_ != nullptr) advance_close(during::turn);
}

void connection_state::fail_receive(errc code, int cause, during when) {
  std::exchange(receiving_, nullptr)->end(std::unexpected(receive_error(code, cause)), in_turn(when));
}

void connection_state::cancel_receive(errc reason, during when) {
  if (inbound_.cancel()) return finish_receive(inbound_.outcome(), when);
  fail_receive(reason, 0, when);
}

// A read that is pending must end first: its bytes may have come already, and a read straight into the
// caller's memory owns that memory until then.
void connection_state::stop(receive_operation& op, errc reason) {
  if (op.stop_reason != errc::none) return;
  op.stop_reason = reason;
  if (reading_ != nullptr) return stream_->cancel(*reading_);
  cancel_receive(reason, during::turn);
  watch_for_control();
}

void connection_state::on_control(const wire::frame_parser::event& event, during when) {
  using wire::frame_parser;
  if (event.what == frame_parser::kind::drained) return on_drained(event.token, when);
  if (event.what == frame_parser::kind::close) return on_close_frame(when);
  const bool request = event.what == frame_parser::kind::drain || event.what == frame_parser::kind::ping;
  // The inbound half keeps what the others mean for data; an unasked PONG is harmless.
  if (!request || take_request(event)) return;
  inbound_.fail(errc::protocol_error);
  on_protocol_error(when);
}

// A question of the peer. False: it had no right to it, or asks faster than it reads the answers.
bool connection_state::take_request(const wire::frame_parser::event& request) {
  const bool ping = request.what == wire::frame_parser::kind::ping;
  if (ping ? !terms_.keepalive : !terms_.app_drain) return false;
  if (send_failure_ != errc::none || close_said_) return true;  // there is no way to answer any more
  if (ping) {
    outbound_.push_reply(wire::make_control(wire::frame_type::pong, request.token));
    answers_due_ = true;
  } else {
    drains().withheld.push_back(request.token);
    release_withheld();
  }
  const std::size_t withheld = drains_ != nullptr ? drains_->withheld.size() : 0;
  return outbound_.replies_waiting() + withheld <= replies_max;
}

// A DRAIN is answered when the application has got everything before it; never, if it won't.
[[gnu::hot]] void connection_state::release_withheld() {
  if (!withholds() || inbound_.holds_undelivered()) return;
  if (!inbound_.dropped() && send_failure_ == errc::none && !close_said_) {
    for (const std::uint64_t token : drains_->withheld) {
      outbound_.push_reply(wire::make_control(wire::frame_type::drained, token));
    }
    answers_due_ = true;
  }
  drains_->withheld.clear();
}

// The peer can't be understood any more. It's told so, as far as that is possible without waiting.
void connection_state::on_protocol_error(during when) {
  answer(wire::make_close(wire::close_protocol_error), when);
  receive_operation* const waiting = std::exchange(receiving_, nullptr);
  tear_down(errc::protocol_error);
  if (waiting == nullptr) return;
  waiting->end(std::unexpected(receive_error(inbound_.failure())), in_turn(when));
}

// Without a loop nobody would wait for them. And what comes when our CLOSE has said that nothing was thrown
// away stays in the stream: taken off it, it would look as if it had been received.
bool connection_state::may_look() const noexcept {
  if (close_said_ && !inbound_.dropped()) return false;
  return !runtime_.left_to_callers() || receiving_ != nullptr || draining_ != nullptr ||
         closing_ != nullptr || readable_ || looking_;
}

void connection_state::look_for_control(bool readable) {
  if (!terms_.framed || torn_down_ || reading_ != nullptr) return;
  readable_ = readable;
  looking_ = true;
  pull_in(during::turn);
  looking_ = false;
}

// Control frames must be answered though nobody receives: a wait for the stream to become readable, in a
// later turn, unless the stream is known to have nothing: then that costs nothing now.
void connection_state::watch_for_control() {
  if (!may_look()) return;
  if (!terms_.framed || torn_down_ || background_op_.pending() || reading_ != nullptr) return;
  if (!readable_ && inbound_.came_short() && !start_read()) return;
  retain();
  runtime_.system().schedule(borrow<&connection_state::watch>(background_op_));
}

}  // namespace tp::detail
