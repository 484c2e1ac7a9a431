// Runtimes that nobody sees.
#include "blocking/private_loop.hpp"

#include <utility>

#include "async/mutex_guard.hpp"
#include "blocking/limited.hpp"
#include "twinpipe/process.hpp"

namespace tp::detail {

result<std::unique_ptr<runtime_state>> make_private_loop(process& owner, operation kind) {
  if (!owner.twin().features().blocking_streams) return fail(errc::not_supported, kind);
  auto system = owner.twin().make_system();
  if (!system) return fail(system.error().about(kind, nullptr));
  return std::make_unique<runtime_state>(owner, std::move(*system));
}

void run_to_end(runtime_state& loop, operation_base& op, const blocking::limits& how) {
  limit(op, how);
  if (op.start()) return;
  op.park({});
  while (op.pending()) loop.turn(never);
}

result<std::unique_ptr<runtime_state>> private_loops::take(process& owner) {
  std::unique_ptr<runtime_state> loop;
  {
    const mutex_guard held(*lock_);
    if (!idle_.empty()) {
      loop = std::move(idle_.back());
      idle_.pop_back();
    }
  }
  if (loop == nullptr) {
    auto made = make_private_loop(owner, operation::connect);
    if (made) (*made)->allow_as_client();
    return made;
  }
  loop->adopt_thread();
  return loop;
}

void private_loops::give_back(std::unique_ptr<runtime_state> loop) {
  const mutex_guard held(*lock_);
  if (idle_.size() < most) idle_.push_back(std::move(loop));
}

private_loops::~private_loops() {
  for (const auto& each : idle_) each->adopt_thread();
}

}  // namespace tp::detail
