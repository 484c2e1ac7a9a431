// Runtimes that nobody sees.
#include "blocking/private_loop.hpp"

#include <utility>

#include "async/mutex_guard.hpp"
#include "blocking/limited.hpp"
#include "twinpipe/process.hpp"

namespace tp::detail {

namespace {

result<std::unique_ptr<backend::system>> make_private_system(process& owner, operation kind) {
  if (!owner.twin().features().blocking_streams) return fail(errc::not_supported, kind);
  auto system = owner.twin().make_system();
  if (!system) return fail(system.error().about(kind, nullptr));
  return system;
}

}  // namespace

result<std::unique_ptr<runtime_state>> make_private_loop(process& owner, operation kind) {
  auto system = make_private_system(owner, kind);
  if (!system) return fail(system);
  return std::make_unique<runtime_state>(owner, std::move(*system));
}

void run_to_end(runtime_state& loop, operation_base& op, const blocking::limits& how) {
  limit(op, deadline_of(how, loop), how.unless);
  if (op.start()) return;
  op.park({});
  // What waits for another thread of the process, such as an accept for an instance, ends by nothing else
  // once the process is killed.
  while (op.pending())
    if (loop.turn(never) == backend::turn_result::stalled) op.ask_to_end();
}

// What ended with it, such as its deadline, is completed before the next comes here.
void meeting_place::run_to_end(operation_base& op, const blocking::limits& how) {
  system_.may_be_stopped(how.unless.stop_possible());
  system_.end_at(deadline_of(how, runtime_));
  detail::run_to_end(runtime_, op, how);
  system_.run();
}

result<std::unique_ptr<meeting_place>> meeting_places::take(process& owner) {
  {
    const mutex_guard held(*lock_);
    if (!idle_.empty()) {
      auto place = std::move(idle_.back());
      idle_.pop_back();
      place->runtime().adopt_thread();
      return place;
    }
  }
  auto names = make_private_system(owner, operation::connect);
  if (!names) return fail(names);
  auto system = std::make_unique<meeting_system>(owner.twin(), std::move(*names));
  return std::make_unique<meeting_place>(owner, std::move(system));
}

void meeting_places::give_back(std::unique_ptr<meeting_place> place) {
  const mutex_guard held(*lock_);
  if (idle_.size() < most) idle_.push_back(std::move(place));
}

meeting_places::~meeting_places() {
  for (const auto& each : idle_) each->runtime().adopt_thread();
}

}  // namespace tp::detail
