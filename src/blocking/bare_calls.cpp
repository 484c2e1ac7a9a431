// Calls that need no operation: without frames, a send that need not wait is one write, and a receive one
// read that nobody has to know of.
#include <optional>

#include "blocking/connection_state.hpp"

namespace tp::detail {

// Else the operation says why not.
bool blocking_connection_state::may_go_bare(const std::stop_token& unless) const noexcept {
  return !runtime_.impersonating() && !unless.stop_requested();
}

send_result blocking_connection_state::send(std::span<const std::byte> bytes, const blocking::limits& how) {
  if (connection_->terms().framed) {
    auto sent = call<send_operation>(how, bytes);
    answer_peer();
    return sent;
  }
  const mutex_guard held(*lock_);
  std::size_t went = 0;
  if (bytes.size() <= little && connection_->may_write_past(bytes.size()) && may_go_bare(how.unless)) {
    went = stream_->try_write(bytes);
    if (went > 0) connection_->has_written_past();
    if (went == bytes.size()) return went;
  }
  auto rest = run<send_operation>(deadline_of(how, *system_), how.unless, bytes.subspan(went));
  if (went == 0) return rest;
  if (rest) return went + *rest;
  const bool stopped = rest.error().code() == errc::cancelled || rest.error().code() == errc::timed_out;
  return stopped ? send_result(went) : rest;
}

/// A receive of which the connection's state doesn't know, and what it becomes if it has to.
struct blocking_connection_state::bare_receive {
  std::span<std::byte> into;
  time_point until;
  const std::stop_token& unless;
  receive_operation* op = nullptr;
};

/// While a thread reads so: the claim, the way to reach it, the lock let go.
class blocking_connection_state::bare_reading {
  struct raising {
    backend::interrupt* who;
    void operator()() const noexcept { who->raise(); }
  };

 public:
  bare_reading(blocking_connection_state& at, bare_receive& self, backend::interrupt* by) : at_(at), by_(by) {
    at.bare_ = &self;
    at.stream_->begin_bare_read(self.into, by);
    if (by != nullptr) stop_.emplace(self.unless, raising{by});
    at.lock_->unlock();
  }
  bare_reading(const bare_reading&) = delete;
  bare_reading& operator=(const bare_reading&) = delete;
  ~bare_reading() {
    stop_.reset();
    at_.lock_->lock();
    at_.bare_ = nullptr;
    if (by_ != nullptr) by_->lower();
  }

 private:
  blocking_connection_state& at_;
  backend::interrupt* const by_;
  std::optional<std::stop_callback<raising>> stop_;
};

// 0: nothing, or it has become an operation.
std::size_t blocking_connection_state::read_bare(bare_receive& self) {
  const presence here(*this, operation::receive);
  std::unique_ptr<backend::interrupt> by;
  if (self.unless.stop_possible() && (by = take_interrupt()) == nullptr) return 0;
  {
    const bare_reading meanwhile(*this, self, by.get());
    if (by == nullptr) {
      stream_->do_read(self.until);
    } else {
      const auto waited = stream_->real().wait(backend::readiness::readable, self.until, by.get());
      waited.ok() ? stream_->do_read(at_once) : stream_->skip_read(waited);
    }
  }
  if (by != nullptr) interrupts_.push_back(std::move(by));
  return stream_->end_bare_read();
}

result<received> blocking_connection_state::receive(std::span<std::byte> into, const blocking::limits& how) {
  const mutex_guard held(*lock_);
  bare_receive self{.into = into, .until = deadline_of(how, *system_), .unless = how.unless};
  if (bare_ == nullptr && !into.empty() && connection_->may_read_past() && may_go_bare(how.unless)) {
    if (const std::size_t got = read_bare(self); got > 0)
      return received{.bytes = got, .complete = true, .end = false, .discarded = false};
    if (self.op != nullptr) {
      static_cast<void>(stream_->settle_read());
      wait_for(*self.op, false);
      return self.op->take();
    }
  }
  return run<receive_operation>(self.until, how.unless, into);
}

// A call of another thread is about to look at the state, or to change it: from now on the receive is part of
// it. What has been closed meanwhile tells the receive so itself.
void blocking_connection_state::make_known() {
  if (bare_->op != nullptr || !connection_->may_read_past() || runtime_.impersonating()) return;
  receive_operation& op = connection_->acquire<receive_operation>();
  bare_->op = &op;
  op.prepare(bare_->into);
  op.expire_at(bare_->until);
  if (op.start()) return;
  // A stop that has come already must not refuse it: its bytes may have come, too.
  if (bare_->unless.stop_possible()) op.stop_with(bare_->unless);
  op.park({});
}

}  // namespace tp::detail
