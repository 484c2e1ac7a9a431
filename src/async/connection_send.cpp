// The sending side of an asynchronous connection.
#include "async/connection_state.hpp"

namespace tp::detail {

namespace {
constexpr duration stop_grace = std::chrono::seconds(1);
constexpr std::size_t joined_at_most = std::size_t{64} << 10;
}  // namespace

[[gnu::hot]] errc connection_state::refuse_send(std::size_t bytes) const noexcept {
  if (closed()) return closed_reason();
  if (end_queued_) return errc::closed;
  if (!terms_.can_send) return errc::wrong_direction;
  if (send_failure_ != errc::none) return send_failure_;
  if (terms_.mode == transmission::message && bytes > terms_.max_send) return errc::message_too_large;
  const bool first = outbound_.queued_bytes() == 0;
  if (!first && bytes + outbound_.queued_bytes() > terms_.max_queued) return errc::queue_full;
  return errc::none;
}

[[gnu::hot]] void connection_state::begin_send(send_operation& op) {
  const std::size_t bytes = op.item.payload.size();
  if (const errc refused = refuse_send(bytes); refused != errc::none)
    return fail_now(op, send_error(refused, bytes));
  if (bytes == 0 && terms_.mode == transmission::byte) return op.end(std::size_t{0}, false);
  op.item.interruptible = op.may_be_stopped() || op.deadline() != never;
  sent_since_drain_ = true;
  const bool alone = outbound_.idle() && !write_op_.pending() && !joining_ && draining_ == nullptr;
  if (alone && send_alone(op)) return;
  outbound_.push(op.item);
  // Whoever is resumed by one write is joined in the next: that comes when all of them have been.
  if (joining_ && outbound_.queued_bytes() <= joined_at_most) {
    joined_ = true;
  } else {
    push_out(during::call);
  }
  if (op.pending()) arm(op.deadline());
}

// The short way of what push_out() does, for a send that meets an empty queue. False: it isn't one write.
[[gnu::hot]] bool connection_state::send_alone(send_operation& op) {
  const auto vector = outbound_.gather_alone(op.item);
  if (vector.empty()) return false;
  auto& write = borrow<&connection_state::write_ended>(write_op_);
  write.buffers = vector;
  const backend::start how = stream_->write(write);
  if (how == backend::start::done && write.result.ok()) {
    write_op_.give_back(runtime_.memory.ops);
    outbound_.sent_alone();
    unconfirmed_ = true;
    op.succeed_now(op.item.payload.size());
    return true;
  }
  keep_sending(op, how);
  return true;
}

// The write that was to be all of it isn't over, or took less: it goes on from the queue.
void connection_state::keep_sending(send_operation& op, backend::start how) {
  outbound_.keep_alone(op.item);
  if (how == backend::start::pending) {
    retain();
    arm(op.deadline());
  } else {
    account_write();
    push_out(during::call);
  }
}

void connection_state::push_out(during when) {
  do {
    write_queued(when);
    settle(when);
  } while (std::exchange(joined_, false) && can_write());
  // A frame was cut off, or an answer lost that nobody here waits for: only the end can tell the peer.
  const bool cut_off = send_failure_ != errc::none && send_failure_ != errc::broken_pipe;
  if (terms_.framed && cut_off) tear_down(errc::connection_lost);
  start_kernel_drain(when);
  advance_close(when);
}

// Writes until the stream makes us wait or nothing is left. Waiters resume later, when the state is whole
// again.
void connection_state::write_queued(during when) {
  while (can_write()) {
    if (outbound_.end_is_due()) return start_shutdown(when);
    const auto vector = outbound_.gather();
    if (vector.empty()) return;
    auto& op = borrow<&connection_state::write_ended>(write_op_);
    op.buffers = vector;
    if (stream_->write(op) == backend::start::pending) return retain();
    account_write();
  }
}

void connection_state::account_write() {
  const std::size_t n = (*write_op_).n;
  const auto [code, cause] = write_op_.give_back(runtime_.memory.ops);
  collect(outbound_.account(n));
  unconfirmed_ = unconfirmed_ || outbound_.moved_data();
  if (torn_down_) {
    fail_sends(teardown_reason_);  // whatever became of this write, nobody writes the rest
  } else if (code != errc::none && code != errc::cancelled) {
    send_cause_ = cause;
    fail_sends(code);
  } else {
    settle_withdrawn();
  }
}

void connection_state::write_ended() {
  account_write();
  push_out(during::turn);
}

// The sends that were stopped while a write had hold of them.
void connection_state::settle_withdrawn() {
  if (withdrawing_ == 0) return;
  for (core::outgoing* each = outbound_.items(); each != nullptr;) {
    core::outgoing* const next = each->next;
    if (each->what == core::outgoing::kind::data && !each->stopped &&
        static_cast<send_operation::queued*>(each)->operation->stop_reason != errc::none) {
      if (outbound_.withdraw(*each) == core::outbound::withdrawal::gone) collect(each);
    }
    each = next;
  }
}

void connection_state::fail_sends(errc code) {
  if (torn_down_) send_cause_ = 0;
  send_failure_ = code;
  core::outgoing* const dropped = outbound_.drop_all();
  for (core::outgoing* each = dropped; each != nullptr; each = each->next) {
    if (each->what != core::outgoing::kind::data) continue;
    lost_data_ = true;
    static_cast<send_operation::queued*>(each)->operation->stop_reason = code;
  }
  collect(dropped);
}

void connection_state::collect(core::outgoing* finished) noexcept {
  if (finished == nullptr) return;
  (finished_last_ != nullptr ? finished_last_->next : finished_first_) = finished;
  while (finished->next != nullptr) finished = finished->next;
  finished_last_ = finished;
}

// A waiter that resumes may send again, close or destroy the connection; so each leaves the list before it
// resumes.
void connection_state::settle(during when) {
  const bool several = finished_first_ != finished_last_;
  const bool joined_before = std::exchange(joining_, joining_ || (several && in_turn(when)));
  while (finished_first_ != nullptr) {
    core::outgoing* const item = finished_first_;
    finished_first_ = item->next;
    if (finished_first_ == nullptr) finished_last_ = nullptr;
    if (item->what == core::outgoing::kind::data) {
      finish_send(*static_cast<send_operation::queued*>(item)->operation, when);
    } else if (item->what == core::outgoing::kind::control) {
      runtime_.memory.control_items.give_back(*item);
    } else {
      end_sent_ = item->complete;
      runtime_.memory.control_items.give_back(*std::exchange(drains_->end_item, nullptr));
      if (shutting() == nullptr) continue;
      result<void> outcome;
      if (!end_sent_) outcome = std::unexpected(make_error(send_failure_, operation::shutdown, send_cause_));
      std::exchange(drains_->shutting, nullptr)->end(std::move(outcome), in_turn(when));
    }
  }
  joining_ = joined_before;
}

void connection_state::finish_send(send_operation& op, during when) {
  if (std::exchange(op.withdrawing, false) && --withdrawing_ == 0) grace_until_ = never;
  const bool some = terms_.mode == transmission::byte && op.item.sent > 0;
  const bool may_be_stop = op.stop_reason == errc::cancelled || op.stop_reason == errc::timed_out;
  const bool stopped = may_be_stop && op.stop_reason != send_failure_;
  if (op.item.complete || (some && stopped)) return op.end(send_result(op.item.sent), in_turn(when));
  const int cause = op.stop_reason == send_failure_ ? send_cause_ : 0;
  op.end(std::unexpected(make_error(op.stop_reason, operation::send, cause)), in_turn(when));
}

void connection_state::stop(send_operation& op, errc reason) {
  if (op.stop_reason != errc::none) return;
  take_back(op, reason);
  push_out(during::turn);
}

// Its waiter resumes with the next push_out(), or when the piece under way is gone.
void connection_state::take_back(send_operation& op, errc reason) {
  op.stop_reason = reason;
  if (!outbound_.in_flight(op.item)) {
    if (outbound_.withdraw(op.item) == core::outbound::withdrawal::gone) return collect(&op.item);
  }
  op.withdrawing = true;
  if (withdrawing_++ == 0) grace_until_ = deadline_after(runtime_.now(), stop_grace);
  arm(grace_until_);
  // Without exact counts a cancelled write leaves the stream useless; then the piece under way is let go,
  // within the grace.
  if (write_op_.pending() && runtime_.twin().features().exact_write) stream_->cancel(*write_op_);
}

void connection_state::begin(shutdown_operation& op) {
  errc refused = errc::none;
  if (closed()) refused = errc::closed;
  if (shutting() != nullptr) refused = errc::operation_in_progress;
  if (!terms_.can_send) refused = errc::wrong_direction;
  if (!terms_.framed && !runtime_.twin().features().half_close) refused = errc::not_supported;
  if (refused == errc::none) refused = send_failure_;
  if (refused != errc::none) return op.end(std::unexpected(make_error(refused, operation::shutdown)), false);
  if (end_sent_) return op.end({}, false);
  drains().shutting = &op;
  if (!std::exchange(end_queued_, true)) {
    core::outgoing& end = runtime_.memory.control_items.borrow();
    end.what = core::outgoing::kind::end;
    drains_->end_item = &end;
    outbound_.push(end);
  }
  push_out(during::call);
  if (op.pending()) arm(op.deadline());
}

// The end keeps its place in the queue: what was sent before it goes, and nobody waits for it any more.
void connection_state::stop(shutdown_operation& op, errc reason) {
  drains_->shutting = nullptr;
  op.end(std::unexpected(make_error(reason, operation::shutdown)), true);
}

void connection_state::start_shutdown(during when) {
  lent_op& lent = drains().shutdown_op;
  if (lent.pending()) return;
  auto& op = borrow<&connection_state::on_shutdown>(lent);
  if (stream_->shutdown(op) == backend::start::pending) return retain();
  shutdown_ended(when);
}

void connection_state::shutdown_ended(during when) {
  const backend::status result = drains_->shutdown_op.give_back(runtime_.memory.ops);
  if (outbound_.end_is_due()) collect(outbound_.end_done());
  if (core::outgoing* const end = drains_->end_item;
      !result.ok() && end != nullptr && finished_last_ == end) {
    end->complete = false;
    send_failure_ = torn_down_ ? teardown_reason_ : result.code;
    send_cause_ = torn_down_ ? 0 : result.system_cause;
  }
  settle(when);
  start_kernel_drain(when);
  advance_close(when);
}

void connection_state::answer(const wire::control_frame& frame, during when) {
  if (torn_down_ || send_failure_ != errc::none || close_said_) return;
  outbound_.push_reply(frame);
  push_out(when);
}

}  // namespace tp::detail
