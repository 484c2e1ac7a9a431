// Calls in which a thread waits for what it asks: what they try, and what the rules for faults make of it.
#include <algorithm>
#include <utility>

#include "buffer_watch.hpp"
#include "kernel.hpp"
#include "text.hpp"

namespace tp::sim {

using namespace backend;
using namespace phases;

void handle::call_link(op& o, kind what) noexcept {
  o.twin.owner = this;
  o.twin.slot = reinterpret_cast<std::size_t>(&world_.time.current());
  o.twin.phase = is_call | (o.twin.phase & is_watched);
  o.twin.kind = std::to_underlying(what);
  link(o);
}

start handle::call(op& o, kind what) {
  if (world_.time.is_foreign()) [[unlikely]]
    world_.time.refuse_foreign(name_of(what));
  world_.time.point();
  o.n = 0;
  ++calls_;
  attempt_result result;
  if (world_.has_fault_rules()) result = call_under_rules(o, what);
  while (!result) {
    if (ended() != errc::none) result = ended();
    if (!result) result = attempt(o, what);
    const bool goes_on = std::exchange(goes_on_, false);
    if (!result && !goes_on && o.deadline <= world_.time.now()) result = errc::timed_out;
    if (result) break;
    if (goes_on) {
      if ((o.twin.phase & is_watched) == 0) watch_buffers(o, what, buffer_part::all);
      world_.time.point();
      continue;
    }
    call_link(o, what);
    wait_in_call(o, what,
                 what == kind::read    ? wait::data
                 : what == kind::write ? wait::room
                                       : wait::drained,
                 o.deadline);
  }
  if (what == kind::write) check_buffers(o, what);
  o.twin.phase = 0;
  if (acts_begun_ != 0 && result.code() != errc::timed_out) end_act(what);
  o.finish({result.code()}, o.n);
  note_done(o, what, result.code());
  leave();
  return start::done;
}

void handle::wait_in_call(op& o, kind what, sim::wait why, time_point until) {
  if ((o.twin.phase & is_watched) == 0) watch_buffers(o, what, buffer_part::all);
  world_.time.note(happening::begun, number_, 0, std::to_underlying(what));
  const auto came = world_.time.block(why, why == wait::time ? nullptr : this, until);
  if (came == scheduler::end::stalled && ended() == errc::none)
    refuse_endless(world_, join("to ", name_of(what), " at ", describe()));
  unlink(o);
  if (what == kind::read) check_buffers(o, what);
}

// Who calls asks again for what had no time: a call that timed out is no act of its own, but the begin of the
// one that follows. The rules are asked about it once.
attempt_result handle::call_under_rules(op& o, kind what) {
  const auto bit = static_cast<std::uint8_t>(kinds_of(what));
  held_act put_off{time_point::min(), errc::none};
  if ((acts_begun_ & bit) == 0) {
    const fault wrong = fault_of(what);
    acts_begun_ |= bit;
    if (wrong.resets) end(errc::connection_reset);
    put_off.fails = wrong.fails;
    if (wrong.delay != duration{} && ended() == errc::none) {
      put_off.due = deadline_after(world_.time.now(), wrong.delay);
      world_.held_acts.insert_or_assign({number_, what}, put_off);
    }
  } else if (const held_act* const known = held(what)) {
    put_off = *known;
  }
  while (ended() == errc::none && world_.time.now() < put_off.due) {
    if (o.deadline <= world_.time.now()) return errc::timed_out;
    call_link(o, what);
    o.twin.phase |= is_delayed;
    wait_in_call(o, what, wait::time, std::min(put_off.due, o.deadline));
  }
  if (ended() != errc::none) return ended();
  if (put_off.fails == errc::none) return {};
  end_act(what);
  return put_off.fails;
}

const held_act* handle::held(kind what) const noexcept {
  if (acts_begun_ == 0) return nullptr;
  const auto at = world_.held_acts.find({number_, what});
  return at != world_.held_acts.end() ? &at->second : nullptr;
}

void handle::end_act(kind what) noexcept {
  acts_begun_ &= static_cast<std::uint8_t>(~kinds_of(what));
  if (!world_.held_acts.empty()) world_.held_acts.erase({number_, what});
}

// What is put off isn't possible yet; when its time has come there may be something to wait for first.
attempt_result handle::look_in_call(op& o, kind for_what, time_point& until) noexcept {
  const held_act* const put_off = held(for_what == kind::readable ? kind::read : kind::write);
  if (put_off != nullptr && world_.time.now() < put_off->due) {
    until = std::min(until, put_off->due);
    return {};
  }
  if (put_off != nullptr && put_off->fails != errc::none) return errc::none;
  return attempt(o, for_what);
}

status handle::wait_for(readiness what, time_point deadline, raised_flag* until) {
  world_.time.check_caller("a wait for a connection");
  world_.time.point();
  ++calls_;
  op in, out;
  const bool reads = what != readiness::writable, writes = what != readiness::readable;
  attempt_result result;
  while (true) {
    time_point wakes = deadline;
    if (ended() != errc::none) result = ended();
    if (!result && reads) result = look_in_call(in, kind::readable, wakes);
    if (!result && writes) result = look_in_call(out, kind::writable, wakes);
    if (!result && until != nullptr && until->raised) result = errc::cancelled;
    if (!result && deadline <= world_.time.now()) result = errc::timed_out;
    if (result) break;
    if (reads) call_link(in, kind::readable);
    if (writes) call_link(out, kind::writable);
    if (until != nullptr) until->waits = &world_.time.current();
    const auto came = world_.time.block(wait::readiness, static_cast<handle*>(this), wakes);
    if (came == scheduler::end::stalled && ended() == errc::none)
      refuse_endless(world_, "to wait for " + describe());
    if (until != nullptr) until->waits = nullptr;
    if (writes) unlink(out);
    if (reads) unlink(in);
  }
  leave();
  return {result.code()};
}

}  // namespace tp::sim
