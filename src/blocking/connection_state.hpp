// A blocking connection: the state of an asynchronous one, whose reads and writes are done by the threads
// that call.
#pragma once

#include <memory>
#include <vector>

#include "async/connection_state.hpp"
#include "async/established.hpp"
#include "async/mutex_guard.hpp"
#include "async/runtime_state.hpp"
#include "blocking/caller_stream.hpp"
#include "blocking/caller_system.hpp"
#include "blocking/limited.hpp"

namespace tp {
class process;
}

namespace tp::detail {

/// One lock for everything but the system calls that wait. A thread whose operation is pending takes on
/// work that no other thread does: first its own read or write, then what others need from it.
class blocking_connection_state {
 public:
  blocking_connection_state(process& owner, backend::blocking_stream_ptr stream, established made);
  blocking_connection_state(const blocking_connection_state&) = delete;
  blocking_connection_state& operator=(const blocking_connection_state&) = delete;
  ~blocking_connection_state();

  /// One operation, from its preparation to its result.
  template <class Node, class... What>
  auto call(const blocking::limits& how, What&&... what) {
    const mutex_guard held(*lock_);
    return run<Node>(deadline_of(how, *system_), how.unless, std::forward<What>(what)...);
  }
  send_result send(std::span<const std::byte> bytes, const blocking::limits& how);
  result<received> receive(std::span<std::byte> into, const blocking::limits& how);
  void abort();
  [[nodiscard]] const connection_state& inside() const noexcept { return *connection_; }
  [[nodiscard]] result<runtime_state*> enter_client();

 private:
  struct waiter {
    operation_base& op;
    bool sends;
    duration pause = std::chrono::milliseconds(1);  ///< until the system is asked again
    std::unique_ptr<backend::interrupt> interrupt = nullptr;
    reachable contact = {};
    waiter* next = nullptr;
    waiter* previous = nullptr;
  };
  class reach;
  /// While a thread may wait inside with the lock let go; made and ended under the lock.
  class presence {
   public:
    presence(blocking_connection_state& at, operation kind) noexcept : at_(at) {
      ++at_.inside_;
      at_.last_inside_ = kind;
    }
    presence(const presence&) = delete;
    presence& operator=(const presence&) = delete;
    ~presence() { --at_.inside_; }

   private:
    blocking_connection_state& at_;
  };
  struct bare_receive;
  class bare_reading;

  template <class Node, class... What>
  auto run(time_point until, const std::stop_token& unless, What&&... what) {
    if (bare_ != nullptr) make_known();
    if constexpr (std::is_same_v<Node, close_operation>) prepare_close();
    Node& op = connection_->template acquire<Node>();
    op.prepare(std::forward<What>(what)...);
    limit(op, until, unless);
    if (op.start()) {
      hand_on();
    } else {
      op.park({});
      wait_for(op, std::is_same_v<Node, send_operation>);
    }
    return op.take();
  }

  // bare_calls.cpp
  [[nodiscard]] bool may_go_bare(const std::stop_token& unless) const noexcept;
  [[nodiscard]] std::size_t read_bare(bare_receive& self);
  void make_known();

  void prepare_close() noexcept;
  void wait_for(operation_base& op, bool sends);
  void refuse_end_in_use() const;
  bool step(waiter& self);
  bool watch_drain(waiter& self);
  bool work(waiter& self, time_point until);
  void hand_on();
  void answer_peer();
  [[nodiscard]] bool read_for_peer();
  [[nodiscard]] std::unique_ptr<backend::interrupt> take_interrupt();
  [[nodiscard]] bool read_directly(time_point until);
  [[nodiscard]] bool write_directly(time_point until);
  [[nodiscard]] bool wait_and_try(waiter& self, bool read, bool write, time_point until);
  [[nodiscard]] bool rest(waiter& self, time_point until);
  void rouse(const waiter* self);

  process& owner_;
  std::unique_ptr<backend::mutex> lock_;
  caller_system* system_;  ///< the runtime's, which owns it
  runtime_state runtime_;
  caller_stream* stream_;  ///< the connection's, which owns it
  ref<connection_state> connection_;
  waiter* waiters_ = nullptr;  ///< those that can be reached
  std::vector<std::unique_ptr<backend::interrupt>> interrupts_;
  bool drain_is_watched_ = false;  ///< some thread looks whether the peer has read all
  std::size_t senders_ = 0;
  std::size_t inside_ = 0;
  operation last_inside_ = operation::none;
  bare_receive* bare_ = nullptr;  ///< the one that reads now
  time_point looked_at_{};
};

}  // namespace tp::detail
