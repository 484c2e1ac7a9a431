// One runtime's part in serving an endpoint: accepts, and the half-open clients they drive.
#pragma once

#include <memory>
#include <optional>
#include <vector>

#include "async/endpoint_state.hpp"
#include "async/established.hpp"
#include "async/half_open_peer.hpp"
#include "async/resident.hpp"
#include "async/runtime_state.hpp"
#include "core/negotiation.hpp"
#include "twinpipe/connection.hpp"
#include "twinpipe/detail/frame_memory.hpp"
#include "twinpipe/detail/operation.hpp"

namespace tp::detail {

class accept_operation;

/// An accept takes a slot first; only then does it watch the acceptor. Of the clients it takes, the first
/// with a good hello becomes the connection; the others go back to the endpoint when it ends.
class listener_state final : public resident {
 public:
  listener_state(runtime_state& runtime, std::shared_ptr<endpoint_owner> owner,
                 backend::acceptor_ptr acceptor);
  ~listener_state() override;

  [[nodiscard]] runtime_state& runtime() const noexcept { return runtime_; }
  [[nodiscard]] const shared_text& subject() const noexcept { return endpoint_->subject(); }
  [[nodiscard]] accept_operation& make_accept();
  /// Between accepts: nothing of the last is left that a turn would still have to take to the endpoint, or to
  /// say to a client.
  [[nodiscard]] bool settled() const noexcept {
    const bool all_said = refusing_ == 0 && runtime_.unsaid_refusals == 0;
    return active_ == nullptr && peers_.empty() && !accept_op_.pending() && all_said;
  }

  void begin(accept_operation& op);
  void stop(accept_operation& op, errc reason);
  /// Whether anybody turns its runtime, to read its mail.
  void attend(bool yes) { endpoint_->attend(ticket_, yes); }
  void close() noexcept;
  void evict() noexcept override { close(); }

  // From its half-open peers.
  [[nodiscard]] bool admits(const identity& who) const noexcept;
  void not_admitted(half_open_peer& peer);
  void hello_complete(half_open_peer& peer);
  void hello_wrong(half_open_peer& peer);
  void hello_timed_out(half_open_peer& peer);
  void peer_left(half_open_peer& peer);
  void reply_written(half_open_peer& peer);
  void stops_refusing() noexcept { --refusing_; }
  void parked(half_open_peer& peer, backend::detached_ptr stream, wire::hello_reader hello,
              duration time_left);

 private:
  static void deliver(mail& note) noexcept;
  void on_news();
  void seek();
  void look_at_own();
  void adopt_parked();
  void accept_more();
  void accepted();
  void take_client(backend::detached_ptr stream, bool peer_follows);
  void admit_raw(backend::detached_ptr stream);
  void adopt_peer(backend::detached_ptr stream, wire::hello_reader hello, duration time_left);
  void enter_half_open();
  void refuse_parked_for_closing();
  void turn_away(backend::detached_ptr stream, wire::reply_status why);
  void choose(half_open_peer& peer);
  [[nodiscard]] core::decision judge(const half_open_peer& peer) const;
  void leave(parked_peer peer);
  void leave_peers();
  void refuse(half_open_peer& peer, std::vector<std::byte> last_words);
  void drop(half_open_peer& peer);
  void admit(backend::detached_ptr stream, const core::terms& terms);
  void finish(result<established> outcome);
  void fail(errc code, int system_cause = 0);
  void timer_ended();
  [[nodiscard]] bool watching() const noexcept { return active_ != nullptr && slot_.held(); }

  std::shared_ptr<endpoint_owner> owner_;  ///< null once it is closed
  const std::shared_ptr<endpoint_state> endpoint_;
  backend::acceptor_ptr acceptor_;
  struct ticket_mail : listener_ticket {
    listener_state* self = nullptr;
  } ticket_;
  accept_operation* active_ = nullptr;
  instance_slot slot_;
  std::vector<ref<half_open_peer>> peers_;
  half_open_peer* winner_ = nullptr;
  std::optional<core::decision> decision_;
  backend::accept_op accept_op_;
  backend::op timer_op_;
  std::size_t refusing_ = 0;       ///< peers that wait for their read to end before they are told no
  errc stop_reason_ = errc::none;  ///< of an accept that was stopped while it wrote its reply
  bool starting_ = false;
  bool seeking_ = false;
  bool closed_ = false;
};

/// Errors: those of runtime::listen.
[[nodiscard]] result<ref<listener_state>> make_listener(runtime_state& runtime, const endpoint& endpoint);

/// One accept; made for each call, gone when its result was taken.
class accept_operation final : public recycled, public typed_operation<result<connection>> {
 public:
  explicit accept_operation(listener_state& listener) noexcept;

  bool start() override;
  void abandon() noexcept override;
  [[nodiscard]] result<connection> take() override;

  /// Like take(), for a driver of another kind.
  [[nodiscard]] result<established> take_established();

  void end(result<established> outcome, bool starting) noexcept;

 protected:
  void on_stop() noexcept override { listener_->stop(*this, errc::cancelled); }

 private:
  ref<listener_state> listener_;
  std::optional<result<established>> outcome_;
};

}  // namespace tp::detail
