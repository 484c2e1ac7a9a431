// Names that are given back by a thread that may have to become itself again first.
#include "async/withdrawals.hpp"

#include "async/mutex_guard.hpp"

namespace tp::detail {

withdrawals::withdrawals(backend::process& twin)
    : twin_(twin), lock_(twin.threads().make_mutex(backend::mutex_kind::leaf)) {}

void withdrawals::withdraw(std::shared_ptr<backend::bound_name> name) noexcept {
  if (!twin_.impersonator().active()) return name->withdraw();
  const mutex_guard held(*lock_);
  waiting_.push_back({twin_.threads().this_thread(), std::move(name)});
}

void withdrawals::identity_left() noexcept {
  const std::uint64_t self = twin_.threads().this_thread();
  std::vector<waiting> due;
  {
    const mutex_guard held(*lock_);
    for (waiting& each : waiting_) {
      if (each.thread == self) due.push_back(std::move(each));
    }
    std::erase_if(waiting_, [&](const waiting& each) { return each.thread == self; });
  }
  for (const waiting& each : due) each.name->withdraw();
}

}  // namespace tp::detail
