// Drain, close and the end of an asynchronous connection.
#include "async/connection_state.hpp"

namespace tp::detail {

namespace {
// docs/protocol.md §6: no more of them unanswered.
constexpr std::uint64_t drains_max = 16;

}  // namespace

drain_guarantee connection_state::drain_guarantee() const noexcept {
  using enum tp::drain_guarantee;
  if (terms_.framed) return terms_.app_drain ? application : none;
  return runtime_.twin().features().drain ? kernel : none;
}

errc connection_state::refuse_drain() const noexcept {
  if (closed()) return errc::closed;
  if (draining_ != nullptr) return errc::operation_in_progress;
  if (terms_.framed ? !terms_.app_drain : !runtime_.twin().features().drain) return errc::not_supported;
  return errc::none;
}

void connection_state::begin(drain_operation& op) {
  const auto answer_now = [&](errc code) {
    if (code == errc::none) return op.end({}, false);
    op.end(std::unexpected(make_error(code, operation::drain)), false);
  };
  if (const errc refused = refuse_drain(); refused != errc::none) return answer_now(refused);
  if (lost_data_) return answer_now(errc::discarded);
  if (!unconfirmed_ && outbound_.items() == nullptr) return answer_now(errc::none);
  if (told_of_loss()) return answer_now(fate() == delivery::delivered ? errc::none : errc::discarded);
  if (!terms_.framed && inbound_.was_reset()) return answer_now(errc::discarded);
  draining_ = &op;
  if (terms_.framed) {
    drains().wanted = ask_drained();
    push_out(during::call);
    if (op.pending()) pull_in(during::call);
  } else {
    sent_since_drain_ = false;
    push_out(during::call);
  }
  if (op.pending()) arm(op.deadline());
}

void connection_state::stop(drain_operation& op, errc reason) {
  op.stop_reason = reason;
  if (kernel_drains()) return stream_->cancel(*drains_->drain_op);
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

// The token whose DRAINED confirms all that was sent until now: that of a DRAIN behind it, the last one if it
// is good enough. 0: only later, when the peer has answered some of those that it has.
std::uint64_t connection_state::ask_drained() {
  drain_state& state = drains();
  if (!sent_since_drain_ && state.sent != state.answered) return state.sent;
  if (state.sent - state.answered >= drains_max) return 0;
  if (send_failure_ != errc::none || inbound_.closed_by_peer() || close_said_) return 0;
  sent_since_drain_ = false;
  // In the order of the sends, and given back once it was written; a drain that was stopped may leave one
  // behind in the queue.
  core::outgoing& item = runtime_.memory.control_items.borrow();
  item.what = core::outgoing::kind::control;
  item.frame = wire::make_control(wire::frame_type::drain, ++state.sent);
  outbound_.push(item);
  return state.sent;
}

void connection_state::on_drained(std::uint64_t token, during when) {
  if (drains_ == nullptr || token <= drains_->answered || token > drains_->sent) return;
  drain_state& state = *drains_;
  state.answered = token;
  if (token == state.sent) unconfirmed_ = sent_since_drain_;
  const bool draining_asks = draining_ != nullptr && state.wanted == 0;
  const bool closing_asks =
      closing_ != nullptr && close_stage_ == close_stage::confirming && state.wanted_to_close == 0;
  if (draining_asks) state.wanted = ask_drained();
  if (closing_asks) state.wanted_to_close = ask_drained();
  if (draining_asks || closing_asks) push_out(when);
  if (draining_ != nullptr && token == state.wanted) end_drain(errc::none, when);
  if (closing_ == nullptr) return;
  if (token == state.wanted_to_close) return part(delivery::delivered, when);
  // Our CLOSE went before a DRAIN for the rest could: no other answer will come.
  if (close_said_ && state.wanted_to_close == 0 && token == state.sent) part(delivery::unknown, when);
}

// The peer is gone: what became of what it has confirmed to nobody. A reset behind a normal CLOSE may be due
// to a DRAIN that it didn't read, and then nothing was lost.
delivery connection_state::fate() const noexcept {
  if (lost_data_ || outbound_.queued_bytes() > 0) return delivery::discarded;
  if (!unconfirmed_) return delivery::delivered;
  if (inbound_.was_reset()) return inbound_.closed_normally() ? delivery::unknown : delivery::discarded;
  return inbound_.closed_normally() ? delivery::delivered : delivery::unknown;
}

// Whoever waits for a confirmation won't get it any more.
void connection_state::on_stream_end(during when) {
  if (!terms_.framed) return;
  end_drain(fate() == delivery::delivered ? errc::none : errc::discarded, when);
  if (closing_ == nullptr || torn_down_ || close_stage_ == close_stage::parting) return;
  if (close_stage_ == close_stage::looking) return finish_close(close_outcome_, when);
  // While something waits to be written, the write shows whether the peer still takes it.
  if (close_stage_ == close_stage::confirming || outbound_.queued_bytes() == 0) finish_close(fate(), when);
}

// It threw data of ours away and confirms nothing more; it may be waiting for us before it goes.
bool connection_state::told_of_loss() const noexcept {
  return inbound_.closed_by_peer() && inbound_.was_reset() && !inbound_.closed_normally();
}

// A normal one leaves it to the end of the stream what became of our data; one that tells of a loss doesn't.
void connection_state::on_close_frame(during when) {
  if (!told_of_loss()) return;
  end_drain(fate() == delivery::delivered ? errc::none : errc::discarded, when);
  if (closing_ != nullptr && close_stage_ == close_stage::confirming) part(fate(), when);
}

// What a close does when all that was read has been looked at. True: there is something to write, or to look
// at again.
bool connection_state::owes_close(during when) {
  return close_stage_ == close_stage::looking ? look(when) : announce_loss();
}

// Closing, with all of ours sent and some of the peer's thrown away: it gets no answer to its DRAIN, so it
// must learn that from a CLOSE, and before we have the answer to ours. Else two sides that close would wait
// for each other for ever. True: the CLOSE waits to be written.
bool connection_state::announce_loss() {
  const bool confirming =
      closing_ != nullptr && !torn_down_ && terms_.framed && close_stage_ == close_stage::confirming;
  if (!confirming || close_said_ || !inbound_.dropped() || send_failure_ != errc::none) return false;
  if (inbound_.stream_ended() || outbound_.items() != nullptr) return false;  // the DRAIN goes first
  outbound_.push_reply(wire::make_close(wire::close_unread));
  close_said_ = true;
  return true;
}

// Unframed, once everything is written: the kernel tells when the peer's process has read it.
void connection_state::start_kernel_drain(during when) {
  const bool wanted =
      draining_ != nullptr || (closing_ != nullptr && close_stage_ == close_stage::confirming);
  if (terms_.framed || torn_down_ || !wanted || kernel_drains()) return;
  if (lost_data_) {
    end_drain(errc::discarded, when);
    if (closing_ != nullptr) finish_close(delivery::discarded, when);
    return;
  }
  if (!outbound_.idle()) return;
  drain_is_stale_ = false;
  auto& op = borrow<&connection_state::on_kernel_drain>(drains().drain_op);
  if (stream_->drain(op) == backend::start::pending) return retain();
  kernel_drain_ended(when);
}

void connection_state::kernel_drain_ended(during when) {
  errc code = drains_->drain_op.give_back(runtime_.memory.ops).code;
  if (code == errc::connection_reset || (code == errc::none && inbound_.was_reset())) code = errc::discarded;
  const errc stopped = draining_ != nullptr ? draining_->stop_reason : errc::none;
  end_drain(code == errc::cancelled && stopped != errc::none ? stopped : code, when);
  if (closing_ == nullptr || torn_down_ || close_stage_ != close_stage::confirming) return;
  // What was written since it began isn't covered, and a stop was meant for the drain that began it.
  const bool says_nothing = code == errc::none || code == errc::cancelled;
  if (std::exchange(drain_is_stale_, false) && says_nothing) return start_kernel_drain(when);
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

// What has come is thrown away, but not unseen: our CLOSE says whether there was any.
void connection_state::begin_close(during when) {
  if (receiving_ != nullptr && reading_ != nullptr) {
    if (receiving_->stop_reason == errc::none) receiving_->stop_reason = errc::closed;
    stream_->cancel(*reading_);
  } else if (receiving_ != nullptr) {
    cancel_receive(errc::closed, when);
  }
  drain_is_stale_ = kernel_drains();
  if (draining_ != nullptr) {
    end_drain(draining_->stop_reason != errc::none ? draining_->stop_reason : errc::closed, when);
  }
  inbound_.discard_data();
  if (terms_.framed) pull_in(when);
  if (closing_ != nullptr) push_out(when);
}

// Flushing: what is queued goes. Confirming: the peer, or the kernel, says that it arrived, or that the
// stream has ended. Looking: has data come that nobody will read? Parting: our CLOSE goes, and says so.
void connection_state::advance_close(during when) {
  if (closing_ == nullptr || torn_down_) return;
  if (send_failure_ != errc::none && close_stage_ == close_stage::parting) {
    return finish_close(close_outcome_, when);
  }
  if (close_stage_ == close_stage::looking) {
    if (send_failure_ != errc::none) finish_close(close_outcome_, when);
    return;
  }
  if (lost_data_) return finish_close(delivery::discarded, when);
  if (!outbound_.idle() || write_op_.pending()) return;
  // The rest of its message may have come: the read that was asked to end will tell.
  if (receiving_ != nullptr && waiting_readable_ && inbound_.holds_undelivered()) return;
  if (close_stage_ == close_stage::parting) return finish_close(close_outcome_, when);
  if (close_stage_ == close_stage::confirming) {
    if (announce_loss()) push_out(when);
    return;
  }
  close_stage_ = close_stage::confirming;
  if (!unconfirmed_) return part(delivery::delivered, when);
  if (!terms_.framed && inbound_.was_reset()) return finish_close(delivery::discarded, when);
  if (!terms_.framed) return start_kernel_drain(when);
  if (inbound_.over()) return finish_close(fate(), when);
  if (told_of_loss()) return part(fate(), when);
  if (!terms_.app_drain && !inbound_.closed_by_peer()) return part(delivery::unknown, when);
  drains().wanted_to_close = ask_drained();
  push_out(when);
}

// Who closed first with nothing lost has gone; with data of ours thrown away, it waits for our CLOSE.
bool connection_state::nobody_listens() const noexcept {
  return inbound_.stream_ended() || (inbound_.closed_by_peer() && !inbound_.was_reset());
}

void connection_state::part(delivery outcome, during when) {
  if (!terms_.framed || send_failure_ != errc::none || nobody_listens()) return finish_close(outcome, when);
  close_outcome_ = outcome;
  if (close_said_) {
    close_stage_ = close_stage::parting;
    return push_out(when);
  }
  close_stage_ = close_stage::looking;
  pull_in(when);
}

// Over when data was seen, or a read that began here has found nothing: one that brought less than it could
// proves nothing, for streams may give less than they have. A stream may leave any read pending though there
// is something; one that is cancelled ends with what has come.
bool connection_state::look(during when) {
  if (inbound_.stream_ended()) return false;
  const bool reading = reading_ != nullptr;
  const bool known = inbound_.dropped() || inbound_.closed_by_peer() || (reading && read_is_left_) ||
                     (!reading && last_look_ == last_look::found_nothing);
  if (known) {
    say_close(when);
    return true;
  }
  if (receiving_ != nullptr && !reading) return false;  // it ends first
  if (!reading) {
    last_look_ = last_look::under_way;
    readable_ = true;
    if (start_read()) return true;
  }
  stream_->cancel(*reading_);
  return false;
}

void connection_state::say_close(during when) {
  if (nobody_listens()) return finish_close(close_outcome_, when);
  close_stage_ = close_stage::parting;
  close_said_ = true;
  outbound_.push_reply(wire::make_close(inbound_.dropped() ? wire::close_unread : wire::close_normal));
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
  if (timer_op_.pending()) runtime_.system().cancel(*timer_op_);
  if (receiving_ != nullptr && (reading_ == nullptr || !inbound_.uses_target()))
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
