// How the threads that call share the work of a blocking connection.
#include "blocking/connection_state.hpp"

#include <algorithm>
#include <string>
#include <utility>

#include "async/client_scope.hpp"
#include "fatal.hpp"
#include "twinpipe/process.hpp"

namespace tp::detail {

using backend::readiness;

namespace {
// Without a descriptor for an interrupt, and between questions that no event answers, a thread looks again.
constexpr duration look_again = std::chrono::milliseconds(1);
// A send on a connection with frames waits so long for the peer before it looks whether the peer waits for an
// answer.
constexpr duration patience = std::chrono::milliseconds(10);
// And if it needn't wait, it looks so often at most: a question to the system costs as much as a small send.
constexpr duration between_looks = std::chrono::milliseconds(1);
// But not for ever, if the peer goes on asking.
constexpr int most_reads = 64;
constexpr duration longest_pause = std::chrono::milliseconds(20);
}  // namespace

blocking_connection_state::blocking_connection_state(process& owner, backend::blocking_stream_ptr stream,
                                                     established made)
    : owner_(owner),
      lock_(owner.twin().threads().make_mutex(backend::mutex_kind::library)),
      system_(new caller_system(owner.twin().threads())),
      runtime_(owner, std::unique_ptr<backend::system>(system_)),
      stream_(new caller_stream(*system_, std::move(stream))),
      connection_(&connection_state::make(runtime_, backend::stream_ptr(stream_), made.terms,
                                          std::move(made.subject), std::move(made.slot))) {
  runtime_.leave_to_callers();
}

blocking_connection_state::~blocking_connection_state() {
  refuse_end_in_use();
  abort();
}

// A thread is inside exactly while it waits with the lock let go; one that comes only now can't be known.
void blocking_connection_state::refuse_end_in_use() const {
  const mutex_guard held(*lock_);
  if (inside_ == 0) return;
  fatal("a blocking connection was destroyed while another thread waited in its " +
        std::string(to_string(last_inside_)) + ": close or abort it and let the thread return first");
}

void blocking_connection_state::abort() {
  const mutex_guard held(*lock_);
  connection_->tear_down(errc::closed);
  hand_on();
}

result<runtime_state*> blocking_connection_state::enter_client() {
  const mutex_guard held(*lock_);
  return detail::enter_client(*connection_);
}

/// While a thread waits with this, others can reach it.
class blocking_connection_state::reach {
 public:
  reach(blocking_connection_state& at, waiter& self) : at_(at), self_(self) {
    if (self.interrupt == nullptr) self.interrupt = at.take_interrupt();
    if (self.interrupt == nullptr) return;
    self.next = at.waiters_;
    self.previous = nullptr;
    if (self.next != nullptr) self.next->previous = &self;
    at.waiters_ = &self;
    self.contact.by = self.interrupt.get();
    at.system_->waker().enter(self.contact);
  }
  reach(const reach&) = delete;
  reach& operator=(const reach&) = delete;
  ~reach() {
    if (self_.interrupt == nullptr) return;
    at_.system_->waker().leave(self_.contact);
    (self_.previous != nullptr ? self_.previous->next : at_.waiters_) = self_.next;
    if (self_.next != nullptr) self_.next->previous = self_.previous;
    self_.interrupt->lower();
  }
  /// When to wake at the latest.
  [[nodiscard]] time_point bound(time_point until) const {
    return self_.interrupt != nullptr ? until : std::min(until, at_.system_->now() + look_again);
  }

 private:
  blocking_connection_state& at_;
  waiter& self_;
};

std::unique_ptr<backend::interrupt> blocking_connection_state::take_interrupt() {
  if (interrupts_.empty()) {
    auto made = owner_.twin().make_interrupt();
    return made ? std::move(*made) : nullptr;
  }
  auto taken = std::move(interrupts_.back());
  interrupts_.pop_back();
  return taken;
}

void blocking_connection_state::prepare_close() noexcept {
  stream_->try_reads();
  if (stream_->reads_out_of_reach()) connection_->leave_read();
}

void blocking_connection_state::wait_for(operation_base& op, bool sends) {
  waiter self{.op = op, .sends = sends};
  const presence here(*this, op.kind());
  if (sends) ++senders_;
  for (;;) {
    system_->run();
    const bool waits = op.pending();
    if (waiters_ != nullptr) rouse(waits ? &self : nullptr);
    if (!waits) break;
    if (step(self)) continue;
    const bool killed = owner_.twin().killed(), timed = system_->next_due() != never;
    if (timed) system_->run_due(killed);
    // What waits for the peer's word alone ends by nothing else once the process is killed.
    if (killed && !timed) op.ask_to_end();
  }
  if (sends) --senders_;
  if (self.interrupt != nullptr) interrupts_.push_back(std::move(self.interrupt));
}

// What has ended is completed, and whom it concerns knows.
void blocking_connection_state::hand_on() {
  system_->run();
  if (waiters_ != nullptr) rouse(nullptr);
}

// Those whose operation has ended, and one for each kind of work that nobody does. What `self` is about to do
// it does itself: two threads that called each other for it would go on calling.
void blocking_connection_state::rouse(const waiter* self) {
  bool write = stream_->write_waits();
  bool read = stream_->read_waits() && (self == nullptr || (self->sends && !write));
  write = write && self == nullptr;
  bool drain = stream_->drain_waits() && !drain_is_watched_ && self == nullptr;
  for (waiter* each = waiters_; each != nullptr; each = each->next) {
    const bool works = (read && !each->sends) || write;
    if (each->op.pending() && !works && !drain) continue;
    if (works) read = write = false;
    if (each->op.pending()) drain = false;
    each->interrupt->raise();
  }
}

// Nothing tells when what is drained has been read: whatever this thread does, it looks from time to time.
bool blocking_connection_state::watch_drain(waiter& self) {
  struct watching {
    bool& set;
    ~watching() { set = false; }
  };
  const time_point look = system_->now() + self.pause;
  self.pause = std::min(2 * self.pause, longest_pause);
  drain_is_watched_ = true;
  const bool happened = [&] {
    const watching here{drain_is_watched_};  // work() may run out of memory
    return work(self, std::min(system_->next_due(), look));
  }();
  if (stream_->drain_waits()) stream_->try_drain();
  return happened;
}

// False: the time was up, or nothing happened.
bool blocking_connection_state::step(waiter& self) {
  if (stream_->drain_waits() && !drain_is_watched_) [[unlikely]]
    return watch_drain(self);
  return work(self, system_->next_due());
}

bool blocking_connection_state::work(waiter& self, time_point until) {
  if (self.sends && self.op.may_be_stopped() && stream_->write_waits() && !stream_->reads()) {
    connection_->look_for_control(false);  // such a thread can wait for both
    if (!stream_->write_waits()) return true;
  }
  const bool write = stream_->write_waits();
  const bool read = stream_->read_waits() && (write || !self.sends);
  if (!read && !write) return rest(self, until);
  if (!self.op.may_be_stopped()) {
    if (read && !stream_->writes() && !stream_->only_waits()) return read_directly(until);
    if (write && !read && senders_ == 1 && self.sends) return write_directly(until);
  }
  return wait_and_try(self, read, write, until);
}

// One call that sleeps in the system: nobody can reach it, and nobody needs to. What it reads for others it
// hands on when it comes.
bool blocking_connection_state::read_directly(time_point until) {
  stream_->claim_read(nullptr);
  {
    const unlocked meanwhile(*lock_);
    stream_->do_read(until);
  }
  return stream_->settle_read();
}

// The peer may be waiting for an answer of ours before it reads on; so in the end this side looks, too.
bool blocking_connection_state::write_directly(time_point until) {
  const bool looks = connection_->terms().framed && !stream_->reads();
  stream_->claim_write(nullptr);
  {
    const unlocked meanwhile(*lock_);
    stream_->do_write(looks ? std::min(until, system_->now() + patience) : until);
  }
  if (stream_->settle_write()) return true;
  if (looks) connection_->look_for_control(false);
  return false;
}

bool blocking_connection_state::wait_and_try(waiter& self, bool read, bool write, time_point until) {
  const reach others(*this, self);
  if (read) stream_->claim_read(self.interrupt.get());
  if (write) stream_->claim_write(self.interrupt.get());
  {
    const unlocked meanwhile(*lock_);
    const readiness what = !read ? readiness::writable : !write ? readiness::readable : readiness::either;
    const auto waited = stream_->real().wait(what, others.bound(until), self.interrupt.get());
    const bool go = waited.ok();
    if (read) go ? stream_->try_read() : stream_->skip_read(waited);
    if (write) go ? stream_->do_write(at_once) : stream_->skip_write(waited);
  }
  const bool has_read = read && stream_->settle_read();
  const bool has_written = write && stream_->settle_write();
  return has_read || has_written;
}

bool blocking_connection_state::rest(waiter& self, time_point until) {
  const reach others(*this, self);
  bool called = false;
  {
    const unlocked meanwhile(*lock_);
    until = others.bound(until);
    called = self.interrupt != nullptr && self.interrupt->wait(until);
    if (self.interrupt == nullptr) owner_.twin().threads().sleep_until(until);
  }
  return called;
}

// A program that only sends still confirms what it has received. A read may bring less than there is, even of
// one frame; so the system is asked until it has no more. A read that this thread began when its send had to
// wait may be left over: nobody else would do it.
void blocking_connection_state::answer_peer() {
  const mutex_guard held(*lock_);
  if (stream_->reads() && !stream_->read_waits()) return;
  const time_point now = system_->now();
  if (now - looked_at_ < between_looks) return;
  looked_at_ = now;
  for (int left = most_reads; left > 0 && read_for_peer(); --left) {
  }
}

// False: nothing has come, or nothing that is read while nobody receives.
bool blocking_connection_state::read_for_peer() {
  if (!stream_->real().wait(readiness::readable, at_once, nullptr).ok()) return false;
  connection_->look_for_control(true);
  system_->run();
  bool has_read = false;
  if (stream_->read_waits()) {
    stream_->claim_read(nullptr);
    stream_->try_read();
    has_read = stream_->settle_read();
  }
  hand_on();
  return has_read;
}

}  // namespace tp::detail
