// An asynchronous connection: drives the sans-IO halves over a stream of the backend.
#pragma once

#include <cstdint>
#include <span>

#include "async/connection_operations.hpp"
#include "async/drain_state.hpp"
#include "async/instance_slot.hpp"
#include "async/operation_steps.hpp"
#include "async/resident.hpp"
#include "async/runtime_state.hpp"
#include "core/inbound.hpp"
#include "core/outbound.hpp"
#include "core/terms.hpp"
#include "twinpipe/backend/stream.hpp"
#include "twinpipe/connection.hpp"

namespace tp::detail {

class connection_state final : public resident {
 public:
  /// In memory of the process. Nobody holds it yet.
  [[nodiscard]] static connection_state& make(runtime_state& runtime, backend::stream_ptr stream,
                                              const core::terms& terms, shared_text subject,
                                              instance_slot slot);

  [[nodiscard]] runtime_state& runtime() const noexcept { return runtime_; }
  [[nodiscard]] const core::terms& terms() const noexcept { return terms_; }
  [[nodiscard]] const identity& peer() const noexcept { return stream_->peer(); }
  /// Cold, like all that makes an error: what only fails stands apart from what runs.
  [[nodiscard, gnu::cold]] error make_error(errc code, operation op, int system_cause = 0) const;
  [[nodiscard]] bool closed() const noexcept { return torn_down_ || closing_ != nullptr; }
  [[nodiscard]] tp::drain_guarantee drain_guarantee() const noexcept;

  /// A node for one operation of this connection, to be prepared.
  template <class Node>
  [[nodiscard]] Node& acquire() {
    Node& node = runtime_.memory.pool<Node>().acquire(runtime_);
    node.belong_to(*this);
    return node;
  }

  // A begin may end its operation before it returns; a stop ends a pending one, now or when the backend has
  // let go.
  void begin(send_operation& op);
  void begin(receive_operation& op);
  void begin(shutdown_operation& op);
  void begin(drain_operation& op);
  void begin(close_operation& op);
  void stop(send_operation& op, errc reason);
  void stop(receive_operation& op, errc reason);
  void stop(shutdown_operation& op, errc reason);
  void stop(drain_operation& op, errc reason);
  void stop(close_operation& op, errc reason);

  /// A runtime that is left to its callers looks for control frames only while somebody receives, drains or
  /// closes, and when it is told to: because a read would not wait, or as long as a call waits for something
  /// else.
  void look_for_control(bool readable);
  /// The read under way will be ended by the peer or the stream's end alone; so a close that looks whether
  /// something has come doesn't wait for it.
  void leave_read() noexcept { read_is_left_ = true; }

  // Without frames a caller may do a write or read on the stream by itself where it would be the next one
  // anyway, and nothing has to remember it; of bytes that went it says so.
  [[nodiscard]] bool may_write_past(std::size_t bytes) const noexcept;
  void has_written_past() noexcept { sent_since_drain_ = unconfirmed_ = true; }
  [[nodiscard]] bool may_read_past() const noexcept;

  /// Closes at once: destructor of the handle, abort, disconnect.
  void tear_down(errc reason);
  void evict() noexcept override { tear_down(errc::closed); }

 private:
  connection_state(runtime_state& runtime, backend::stream_ptr stream, const core::terms& terms,
                   shared_text subject, instance_slot slot) noexcept;
  ~connection_state() override = default;
  void destroy() noexcept override;

  /// Where a piece of code runs: in a turn of the backend waiters may resume inside it, in a call of the user
  /// not.
  enum class during : bool { call, turn };
  /// Of a closing side, whether data lies unread.
  enum class last_look : std::uint8_t { none, under_way, found_nothing };
  enum class close_stage : std::uint8_t { flushing, confirming, looking, parting };

  /// Why nothing can be done with it any more.
  [[nodiscard]] errc closed_reason() const noexcept { return torn_down_ ? teardown_reason_ : errc::closed; }
  /// Receives alone learn that the peer announced too large a message.
  [[nodiscard]] errc closed_reason_to_receive() const noexcept {
    const bool unheard = unheard_failure_ && teardown_reason_ == errc::connection_lost;
    return unheard || inbound_.failure() == errc::message_too_large ? inbound_.failure() : closed_reason();
  }

  [[nodiscard, gnu::cold]] error too_large(operation op, std::uint64_t bytes, std::size_t most) const;
  [[nodiscard, gnu::cold]] error receive_error(errc code, int system_cause = 0) const;
  [[nodiscard, gnu::cold]] error send_error(errc refused, std::size_t bytes) const;

  // connection_bare.cpp
  [[nodiscard]] static backend::op::handler when_read() noexcept;
  void read_ended();

  // connection_send.cpp
  void begin_send(send_operation& op);
  void keep_sending(send_operation& op, backend::start how);
  [[nodiscard]] errc refuse_send(std::size_t bytes) const noexcept;
  [[nodiscard]] bool can_write() const noexcept {
    return !write_op_.pending() && !torn_down_ && send_failure_ == errc::none;
  }
  [[nodiscard]] bool send_alone(send_operation& op);
  void push_out(during when);
  void write_queued(during when);
  void account_write();
  void write_ended();
  void settle_withdrawn();
  void fail_sends(errc code);
  void collect(core::outgoing* finished) noexcept;
  void settle(during when);
  void finish_send(send_operation& op, during when);
  void take_back(send_operation& op, errc reason);
  void start_shutdown(during when);
  void shutdown_ended(during when);
  void answer(const wire::control_frame& frame, during when);

  // connection_receive.cpp
  [[nodiscard]] errc refuse_receive() const noexcept;
  void begin_receive(receive_operation& op);
  void pull_in(during when);
  bool start_read();
  void take_read(const backend::read_op& read);
  void take_read_bytes();
  void on_control(const wire::frame_parser::event& event, during when);
  [[nodiscard]] bool take_request(const wire::frame_parser::event& request);
  void release_withheld();
  void finish_receive(const received& outcome, during when) {
    std::exchange(receiving_, nullptr)->succeed(outcome, in_turn(when));
  }
  void fail_receive(errc code, int cause, during when);
  void cancel_receive(errc reason, during when);
  void on_protocol_error(during when);
  void watch_for_control();
  [[nodiscard]] bool may_look() const noexcept;

  /// Made now if there is none.
  [[nodiscard]] drain_state& drains();
  [[nodiscard]] shutdown_operation* shutting() const noexcept {
    return drains_ != nullptr ? drains_->shutting : nullptr;
  }
  [[nodiscard]] bool withholds() const noexcept { return drains_ != nullptr && !drains_->withheld.empty(); }
  [[nodiscard]] bool kernel_drains() const noexcept {
    return drains_ != nullptr && drains_->drain_op.pending();
  }

  // connection_close.cpp
  [[nodiscard]] errc refuse_drain() const noexcept;
  [[nodiscard]] std::uint64_t ask_drained();
  void on_drained(std::uint64_t token, during when);
  [[nodiscard]] delivery fate() const noexcept;
  void on_stream_end(during when);
  void start_kernel_drain(during when);
  void kernel_drain_ended(during when);
  void end_drain(errc code, during when);
  void begin_close(during when);
  void advance_close(during when);
  [[nodiscard]] bool owes_close(during when);
  [[nodiscard]] bool announce_loss();
  [[nodiscard]] bool look(during when);
  void on_close_frame(during when);
  [[nodiscard]] bool told_of_loss() const noexcept;
  [[nodiscard]] bool nobody_listens() const noexcept;
  void part(delivery outcome, during when);
  void say_close(during when);
  void finish_close(delivery outcome, during when);

  // connection_timer.cpp
  void arm(time_point deadline) {
    if (deadline != never && !torn_down_) set_timer(deadline);
  }
  void set_timer(time_point deadline);
  void timer_ended();
  bool expire_one(time_point now);
  bool expire_sends(time_point now);
  [[nodiscard]] time_point next_deadline() const noexcept;

  // Cold, so that what ends well is short.
  template <class Operation>
  [[gnu::cold, gnu::noinline]] static void fail_now(Operation& op, error why) {
    op.end(std::unexpected(std::move(why)), false);
  }
  [[nodiscard]] static bool in_turn(during when) noexcept { return when == during::turn; }
  void on_shutdown() { shutdown_ended(during::turn); }
  void on_kernel_drain() { kernel_drain_ended(during::turn); }
  void watch() {
    background_op_.give_back(runtime_.memory.ops);
    pull_in(during::turn);
  }
  template <auto Method>
  [[nodiscard]] backend::write_op& borrow(lent_op& op) {
    return op.borrow(runtime_.memory.ops, handler<Method>(), this);
  }

  // What a send and a receive without frames look at stands in front, in as few lines of the cache as it
  // takes.
  backend::stream_ptr stream_;
  core::terms terms_;
  lent_op write_op_;
  receive_operation* receiving_ = nullptr;
  drain_operation* draining_ = nullptr;
  close_operation* closing_ = nullptr;
  const bool sends_bare_, receives_bare_;  ///< byte mode without frames, and it goes this way
  errc send_failure_ = errc::none;
  bool torn_down_ = false;
  bool waiting_readable_ = false;  ///< the read under way moves nothing
  bool readable_ = false;          ///< it was told that a read would not wait
  bool unheard_failure_ = false;   ///< a read failed while nobody received
  bool end_queued_ = false;        ///< shutdown() was called
  bool unconfirmed_ = false;       ///< data went out, and nobody has confirmed that it arrived
  bool sent_since_drain_ = false;  ///< the drain under way, or the last, doesn't cover everything
  bool joining_ = false;           ///< waiters of one write are being resumed
  bool joined_ = false;            ///< and one of them has queued a send
  bool answers_due_ = false;       ///< answers were queued, and nobody has tried to write them
  bool end_sent_ = false;
  bool lost_data_ = false;       ///< a send failed, so the peer didn't get all
  bool drain_is_stale_ = false;  ///< the kernel's was begun for a drain that ended before this close
  bool close_said_ = false;      ///< our CLOSE was queued: no frame may follow it
  bool looking_ = false;         ///< for control frames, because a caller said so
  bool read_is_left_ = false;    ///< to a thread that sleeps in it
  last_look last_look_ = last_look::none;
  bool grace_passed_ = false;  ///< hence the teardown
  errc teardown_reason_ = errc::none;
  delivery close_outcome_ = delivery::unknown;
  close_stage close_stage_ = close_stage::flushing;
  backend::read_op* reading_ = nullptr;  ///< under way: the lent one, or that of a receive without frames
  lent_read lent_read_;
  core::outbound outbound_;
  core::inbound inbound_;

  shared_text subject_;
  instance_slot slot_;
  lent_op timer_op_, background_op_;
  time_point timer_at_ = never;
  drain_state* drains_ = nullptr;   ///< null: none was needed yet
  std::size_t withdrawing_ = 0;     ///< stopped sends whose piece is under way
  time_point grace_until_ = never;  ///< never without such sends
  core::outgoing* finished_first_ = nullptr;
  core::outgoing* finished_last_ = nullptr;
  int send_cause_ = 0;
  int receive_cause_ = 0;
};

template <class Node, class Result>
void connection_operation<Node, Result>::use() noexcept {
  this->configure();
  stop_reason = errc::none;
  state_->retain();
}

}  // namespace tp::detail
