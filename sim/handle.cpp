// The life of one pending operation: waiting, ready, settled.
#include "handle.hpp"

#include <algorithm>

#include "buffer_watch.hpp"
#include "fatal.hpp"
#include "kernel.hpp"
#include "text.hpp"

namespace tp::sim {

using namespace backend;
using namespace phases;

std::string_view name_of(kind what) noexcept {
  static constexpr std::string_view words[] = {"read",   "write",       "shut down",   "drain",
                                               "accept", "be readable", "be writable", "connect",
                                               "sleep",  "go on",       "lock"};
  return words[std::to_underlying(what)];
}

void handle_table::add(handle& opened) {
  if (places_.size() == places_.capacity() && count_ <= places_.size() / 2) close_gaps();
  opened.place_ = static_cast<std::uint32_t>(places_.size());
  places_.push_back(&opened);
  ++count_;
}

void handle_table::remove(const handle& gone) noexcept {
  places_[gone.place_] = nullptr;
  --count_;
  while (!places_.empty() && places_.back() == nullptr) places_.pop_back();
}

void handle_table::close_gaps() noexcept {
  std::erase(places_, nullptr);
  for (std::uint32_t i = 0; i < places_.size(); ++i) places_[i]->place_ = i;
}

handle::handle(process_ref owner, std::uint32_t number)
    : process_(std::move(owner)),
      world_(*process_->world),
      queue_(&world_.outside_ready),
      number_(number != 0 ? number : ++world_.handles) {
  process_->handles.add(*this);
}

handle::~handle() {
  process_->handles.remove(*this);
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

void handle::note_done(const op& o, kind what, errc came_to) noexcept {
  count_told(o, what);
  world_.time.note(happening::done, number_, static_cast<std::uint32_t>(o.n), std::to_underlying(what),
                   came_to);
}

void handle::check_alone(kind what) const noexcept {
  if (what >= kind::connect) return;
  for (const op* each = pending_; each != nullptr; each = each->twin.next) {
    if (each->twin.kind == std::to_underlying(what))
      detail::fatal("two operations of a kind were started on one stream or acceptor");
  }
}

start handle::submit(op& o, kind what) noexcept {
  if (world_.time.is_foreign()) [[unlikely]]
    world_.time.refuse_foreign(name_of(what));
  check_alone(what);
  o.n = 0;
  if (what == kind::schedule) {
    begin(o, what, buffer_part::all);
    make_ready(o);
    return start::pending;
  }
  world_.time.point();
  if (world_.has_fault_rules()) {
    const fault wrong = fault_of(what);
    if (wrong.resets) end(errc::connection_reset);
    if (ended() == errc::none && wrong.delay != duration{}) return hold_back(o, what, wrong);
    if (ended() == errc::none && wrong.fails != errc::none) return o.finish({wrong.fails});
  }
  if (ended() != errc::none) return o.finish({ended()});
  unsigned& immediate = queue_->immediate;
  const bool may_be_done = immediate > 0 && !world_.time.happens(8, choice::postpone);
  if (const attempt_result result = may_be_done ? attempt(o, what) : attempt_result()) {
    --immediate;
    o.finish({result.code()}, o.n);
    note_done(o, what, result.code());
    return start::done;
  }
  const bool waits = may_be_done && !std::exchange(goes_on_, false);
  begin(o, what, waits ? buffer_part::all : buffer_part::ends);
  waits ? park(o) : make_ready(o);
  return start::pending;
}

void handle::begin(op& o, kind what, buffer_part how_much) noexcept {
  o.twin = {.owner = this, .kind = std::to_underlying(what)};
  link(o);
  o.begin();
  watch_buffers(o, what, how_much);
  world_.time.note(happening::begun, number_, 0, std::to_underlying(what));
}

// Nothing is tried before its time, and nothing fails, but its deadline and a cancel end it.
start handle::hold_back(op& o, kind what, const fault& wrong) noexcept {
  begin(o, what, buffer_part::all);
  o.twin.phase |= is_delayed;
  if (wrong.fails != errc::none) o.twin.phase |= is_failing;
  o.result = {wrong.fails};
  const time_point due = deadline_after(world_.time.now(), wrong.delay);
  if (o.deadline < due) o.twin.phase |= is_too_late;
  world_.time.set_timer(o, std::min(o.deadline, due));
  return start::pending;
}

void handle::park(op& o) noexcept {
  o.twin.phase &= is_watched;
  if (o.deadline != never) world_.time.set_timer(o, o.deadline);
}

fault handle::fault_of(kind what) {
  static constexpr act acts[] = {act::read, act::write, act::shutdown, act::drain, act::accept};
  if (!world_.has_fault_rules()) return {};
  if (what == kind::connect) return process_->fault_at(act::connect);
  return what <= kind::accept ? process_->fault_at(acts[std::to_underlying(what)]) : fault{};
}

void handle::be_due(op& o) noexcept {
  if ((o.twin.phase & is_too_late) == 0) o.twin.phase &= static_cast<std::uint8_t>(~is_delayed);
  make_ready(o);
}

void handle::make_ready(op& o) noexcept {
  if ((o.twin.phase & is_call) != 0) {
    world_.time.wake(*reinterpret_cast<thread*>(o.twin.slot));  // what a call needs no timer for
    return;
  }
  if ((o.twin.phase & is_ready) != 0) return;
  o.twin.phase |= is_ready;
  world_.time.clear_timer(o);
  queue_->ops.push(&o);
  if (queue_->turns != nullptr) world_.time.wake(*queue_->turns);
}

bool handle::settle(op& o) noexcept {
  const std::uint8_t phase = o.twin.phase;
  if ((phase & is_ready) == 0) [[unlikely]]
    return refuse_second_end(o);
  attempt_result result = ended() != errc::none ? attempt_result(ended()) : attempt_result();
  const auto what = static_cast<kind>(o.twin.kind);
  if (what == kind::schedule) result = errc::none;
  if ((phase & is_watched) != 0 && what == kind::read) check_buffers(o, what);
  constexpr std::uint8_t special = is_cancelled | is_withdrawn | is_delayed | is_failing;
  if (!result) result = (phase & special) == 0 ? attempt(o, what) : attempt_or_stop(o, what);
  const bool goes_on = std::exchange(goes_on_, false);
  if (!result && o.deadline <= world_.time.now()) result = errc::timed_out;
  if (!result) {
    if (what == kind::read) watch_buffers(o, what, buffer_part::all);
    park(o);
    if (goes_on) make_ready(o);
    return false;
  }
  if ((phase & is_watched) != 0 && what == kind::write) check_buffers(o, what);
  unlink(o);
  note_done(o, what, result.code());
  o.twin.phase = 0;
  if (freed_ && idle()) delete this;
  o.complete({result.code()}, o.n);
  return true;
}

// What is possible is done, though its cancel or deadline has come meanwhile: bytes win.
attempt_result handle::attempt_or_stop(op& o, kind what) noexcept {
  const bool stopped = (o.twin.phase & (is_cancelled | is_withdrawn)) != 0;
  attempt_result result;
  if ((o.twin.phase & is_delayed) != 0) return stopped ? errc::cancelled : errc::timed_out;
  if ((o.twin.phase & is_failing) != 0) return o.result.code;
  if ((o.twin.phase & is_withdrawn) == 0) result = attempt(o, what);
  return !result && stopped ? attempt_result(errc::cancelled) : result;
}

// It has been among those that are ready twice. If it was started again meanwhile, that isn't its end either.
bool handle::refuse_second_end(const op& o) const noexcept {
  fail_run(world_, join("an operation was about to complete twice: the one to ",
                        name_of(static_cast<kind>(o.twin.kind)), " at ", describe(), " of ", process_->name));
  return false;
}

// A read's are checked before anything is put there, and a write's when it ends: what was accepted before,
// with the rest. A killed process has no memory any more.
void handle::check_buffers(const op& o, kind what) const {
  if (process_->dead() || buffers_untouched(o, what)) [[likely]]
    return;
  report_touched(what);
}

void handle::report_touched(kind what) const {
  fail_run(world_, join("memory was changed while an operation used it: the ",
                        what == kind::read ? "read" : "write", " at ", describe(), " of ", process_->name));
}

void handle::request_cancel(op& o) noexcept {
  world_.time.check_caller("cancel");
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

void handle::close_now() noexcept {
  if (open()) world_.time.point();
  end(errc::closed);
}

void handle::end(errc why) noexcept {
  world_.time.check_caller("close");
  if (ended_ != errc::none) return;
  ended_ = why;
  forget_acts();
  world_.time.note(happening::closed, number_, 0, 0, why);
  let_go();
  wake({});
}

void handle::die() noexcept {
  end(errc::process_killed);
  for (op* each = pending_; each != nullptr; each = pending_) {
    world_.time.clear_timer(*each);
    queue_->ops.remove(each);
    unlink(*each);
    count_told(*each, static_cast<kind>(each->twin.kind));
    each->twin.phase = 0;
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
  close_now();
  freed_ = true;
  if (idle()) delete this;
}

}  // namespace tp::sim
