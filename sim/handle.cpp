// The life of one pending operation: waiting, ready, settled.
#include "handle.hpp"

#include <algorithm>

#include "buffer_watch.hpp"
#include "fatal.hpp"
#include "kernel.hpp"
#include "text.hpp"

namespace tp::sim {

using namespace backend;

// Phases of an operation.
constexpr std::uint8_t is_ready = 1, is_cancelled = 2, is_withdrawn = 4, is_call = 8, is_delayed = 16,
                       is_failing = 32;

std::string_view name_of(kind what) noexcept {
  static constexpr std::string_view words[] = {"read",   "write",       "shut down",   "drain",
                                               "accept", "be readable", "be writable", "connect",
                                               "sleep",  "go on",       "lock"};
  return words[std::to_underlying(what)];
}

handle::handle(process_ref owner, std::uint32_t number)
    : process_(std::move(owner)),
      scheduler_(process_->world->time),
      number_(number != 0 ? number : ++process_->world->handles) {
  process_->handles.push_back(this);
}

handle::~handle() {
  std::erase(process_->handles, this);
}

errc handle::ended() const noexcept {
  return ended_ != errc::none || !process_->dead() ? ended_ : errc::process_killed;
}

void handle::link(op& o) noexcept {
  o.twin.previous = nullptr;
  o.twin.next = pending_;
  if (pending_ != nullptr) pending_->twin.previous = &o;
  pending_ = &o;
}

void handle::unlink(op& o) noexcept {
  (o.twin.previous != nullptr ? o.twin.previous->twin.next : pending_) = o.twin.next;
  if (o.twin.next != nullptr) o.twin.next->twin.previous = o.twin.previous;
}

void handle::note_done(const op& o, kind what) const noexcept {
  scheduler_.note(happening::done, number_, static_cast<std::uint32_t>(o.n), std::to_underlying(what),
                  o.result.code);
}

void handle::check_alone(kind what) const noexcept {
  if (what >= kind::connect) return;
  for (const op* each = pending_; each != nullptr; each = each->twin.next) {
    if (each->twin.kind == std::to_underlying(what))
      detail::fatal("two operations of a kind were started on one stream or acceptor");
  }
}

start handle::submit(op& o, kind what) noexcept {
  check_alone(what);
  o.n = 0;
  if (what == kind::schedule) {
    begin(o, what);
    make_ready(o);
    return start::pending;
  }
  scheduler_.point();
  const fault wrong = fault_of(what);
  if (wrong.resets) end(errc::connection_reset);
  if (ended() != errc::none) return o.finish({ended()});
  if (wrong.delay != duration{}) return hold_back(o, what, wrong);
  if (wrong.fails != errc::none) return o.finish({wrong.fails});
  unsigned& immediate = queue().immediate;
  const bool may_be_done = immediate > 0 && !scheduler_.happens(8, choice::postpone);
  if (const auto result = may_be_done ? attempt(o, what) : std::nullopt) {
    --immediate;
    o.finish(*result, o.n);
    note_done(o, what);
    return start::done;
  }
  begin(o, what);
  may_be_done && !std::exchange(goes_on_, false) ? park(o) : make_ready(o);
  return start::pending;
}

void handle::begin(op& o, kind what) noexcept {
  o.twin = {.owner = this, .kind = std::to_underlying(what)};
  link(o);
  o.begin();
  watch_buffers(o, what);
  scheduler_.note(happening::begun, number_, 0, std::to_underlying(what));
}

// Nothing is tried before its time, but its deadline and a cancel end it.
start handle::hold_back(op& o, kind what, const fault& wrong) noexcept {
  begin(o, what);
  o.twin.phase = is_delayed;
  if (wrong.fails != errc::none) o.twin.phase |= is_failing;
  o.result = {wrong.fails};
  scheduler_.set_timer(o, std::min(o.deadline, deadline_after(scheduler_.now(), wrong.delay)));
  return start::pending;
}

void handle::park(op& o) noexcept {
  o.twin.phase = 0;
  if (o.deadline != never) scheduler_.set_timer(o, o.deadline);
}

fault handle::fault_of(kind what) {
  static constexpr act acts[] = {act::read, act::write, act::shutdown, act::drain, act::accept};
  if (what == kind::connect) return process_->fault_at(act::connect);
  return what <= kind::accept ? process_->fault_at(acts[std::to_underlying(what)]) : fault{};
}

void handle::be_due(op& o) noexcept {
  o.twin.phase &= static_cast<std::uint8_t>(~is_delayed);
  make_ready(o);
}

void handle::make_ready(op& o) noexcept {
  if ((o.twin.phase & is_call) != 0) {
    scheduler_.wake(*reinterpret_cast<thread*>(o.twin.slot));  // what a call needs no timer for
    return;
  }
  if ((o.twin.phase & is_ready) != 0) return;
  o.twin.phase |= is_ready;
  scheduler_.clear_timer(o);
  queue().ops.push(&o);
  if (queue().turns != nullptr) scheduler_.wake(*queue().turns);
}

ready_list& handle::queue() const noexcept {
  return system_ != nullptr ? *system_->list() : process_->world->outside_ready;
}

bool handle::settle(op& o) noexcept {
  // What is possible is done, though its cancel or deadline has come meanwhile: bytes win.
  auto result = ended() != errc::none ? status{ended()} : std::optional<status>();
  const auto what = static_cast<kind>(o.twin.kind);
  if (what == kind::schedule) result = status{};
  if (!result) check_buffers(o, what);
  if (!result && (o.twin.phase & is_failing) != 0) result = o.result;
  if (!result && (o.twin.phase & is_withdrawn) == 0) result = attempt(o, what);
  const bool goes_on = std::exchange(goes_on_, false);
  if (!result && (o.twin.phase & (is_cancelled | is_withdrawn)) != 0) result = status{errc::cancelled};
  if (!result && o.deadline <= scheduler_.now()) result = status{errc::timed_out};
  if (!result) {
    watch_buffers(o, what);
    park(o);
    if (goes_on) make_ready(o);
    return false;
  }
  unlink(o);
  o.result = *result;
  note_done(o, what);
  if (freed_ && idle()) delete this;
  o.complete(*result, o.n);
  return true;
}

void handle::check_buffers(const op& o, kind what) const {
  if (buffers_untouched(o, what)) return;
  fail_run(*process_->world,
           join("memory was changed while an operation used it: the ", what == kind::read ? "read" : "write",
                " at ", describe(), " of ", process_->name));
}

void handle::call_link(op& o, kind what) noexcept {
  o.twin = {.owner = this,
            .slot = reinterpret_cast<std::size_t>(&scheduler_.current()),
            .phase = is_call,
            .kind = std::to_underlying(what)};
  link(o);
}

start handle::call(op& o, kind what) {
  scheduler_.point();
  o.n = 0;
  ++calls_;
  std::optional<status> result;
  const fault wrong = fault_of(what);
  if (wrong.resets) end(errc::connection_reset);
  if (wrong.delay != duration{}) {
    const time_point then = deadline_after(scheduler_.now(), wrong.delay);
    while (scheduler_.now() < std::min(then, o.deadline) && ended() == errc::none)
      scheduler_.block(wait::time, nullptr, std::min(then, o.deadline));
  }
  if (wrong.fails != errc::none) result = status{wrong.fails};
  while (!result) {
    if (ended() != errc::none) result = status{ended()};
    if (!result) result = attempt(o, what);
    const bool goes_on = std::exchange(goes_on_, false);
    if (!result && o.deadline <= scheduler_.now()) result = status{errc::timed_out};
    if (result) break;
    if (goes_on) {
      scheduler_.point();
      continue;
    }
    call_link(o, what);
    watch_buffers(o, what);
    scheduler_.note(happening::begun, number_, 0, std::to_underlying(what));
    scheduler_.block(what == kind::read    ? wait::data
                     : what == kind::write ? wait::room
                                           : wait::drained,
                     this, o.deadline);
    unlink(o);
    if (ended() == errc::none) check_buffers(o, what);
  }
  o.finish(*result, o.n);
  note_done(o, what);
  leave();
  return start::done;
}

status handle::wait_for(readiness what, time_point deadline, raised_flag* until) {
  scheduler_.point();
  ++calls_;
  op in, out;
  const bool reads = what != readiness::writable, writes = what != readiness::readable;
  std::optional<status> result;
  while (true) {
    if (ended() != errc::none) result = status{ended()};
    if (!result && reads) result = attempt(in, kind::readable);
    if (!result && writes) result = attempt(out, kind::writable);
    if (!result && until != nullptr && until->raised) result = status{errc::cancelled};
    if (!result && deadline <= scheduler_.now()) result = status{errc::timed_out};
    if (result) break;
    if (reads) call_link(in, kind::readable);
    if (writes) call_link(out, kind::writable);
    if (until != nullptr) until->waits = &scheduler_.current();
    scheduler_.block(wait::readiness, static_cast<handle*>(this), deadline);
    if (until != nullptr) until->waits = nullptr;
    if (writes) unlink(out);
    if (reads) unlink(in);
  }
  leave();
  return *result;
}

void handle::request_cancel(op& o) noexcept {
  if (!o.pending() || o.twin.owner != this) return;
  // What is possible already is still done; what waits isn't tried any more.
  o.twin.phase |= (o.twin.phase & is_ready) != 0 ? is_cancelled : is_withdrawn;
  make_ready(o);
}

void handle::wake(kinds which) noexcept {
  for (op* each = pending_; each != nullptr; each = each->twin.next)
    if (ended_ != errc::none ||
        ((which >> each->twin.kind & 1U) != 0 && (each->twin.phase & is_delayed) == 0))
      make_ready(*each);
}

void handle::end(errc why) noexcept {
  if (ended_ != errc::none) return;
  ended_ = why;
  scheduler_.note(happening::closed, number_, 0, 0, why);
  let_go();
  wake({});
}

void handle::die() noexcept {
  end(errc::process_killed);
  for (op* each = pending_; each != nullptr; each = pending_) {
    scheduler_.clear_timer(*each);
    queue().ops.remove(each);
    unlink(*each);
    each->forget();
  }
  if (freed_ && idle()) delete this;
}

bool handle::waits_for_clients_only() const noexcept {
  for (const op* each = pending_; each != nullptr; each = each->twin.next) {
    if (static_cast<kind>(each->twin.kind) != kind::accept) return false;
  }
  return true;
}

std::string handle::describe_pending() const {
  std::string text;
  for (const op* each = pending_; each != nullptr; each = each->twin.next)
    text.append(text.empty() ? "to " : ", to ").append(name_of(static_cast<kind>(each->twin.kind)));
  return text;
}

void handle::check_left() const noexcept {
  for (const handle* const each : process_->handles) {
    if (each->system_ != this && each != this) continue;
    if (each->pending_ != nullptr) detail::fatal("a system was destroyed while operations were pending");
    if (each != this && each->ended_ == errc::none)
      detail::fatal("a system was destroyed before a stream or acceptor on it");
  }
}

void handle::free() noexcept {
  end(errc::closed);
  freed_ = true;
  if (idle()) delete this;
}

}  // namespace tp::sim
