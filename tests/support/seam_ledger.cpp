// The account of one run's calls at the seam.
#include "support/seam_ledger.hpp"

#include <utility>

namespace tp::test {

std::string_view to_string(seam_call what) noexcept {
  static constexpr std::array<std::string_view, seam_calls> names{"names::bind",
                                                                  "process::make_system",
                                                                  "process::attach_blocking",
                                                                  "process::make_interrupt",
                                                                  "process::adopt",
                                                                  "system::connect",
                                                                  "system::open",
                                                                  "system::attach",
                                                                  "acceptor::accept",
                                                                  "byte_stream::read",
                                                                  "byte_stream::write",
                                                                  "byte_stream::shutdown",
                                                                  "byte_stream::drain",
                                                                  "blocking_stream::wait",
                                                                  "impersonator::check",
                                                                  "impersonator::enter",
                                                                  "files::open_directory",
                                                                  "files::read",
                                                                  "threads::start_thread"};
  return names[static_cast<std::size_t>(what)];
}

bool may_be_pending(seam_call what) noexcept {
  switch (what) {
    case seam_call::connect:
    case seam_call::accept:
    case seam_call::read:
    case seam_call::write:
    case seam_call::shutdown:
    case seam_call::drain:
      return true;
    default:
      return false;
  }
}

bool ledger::must_fail(seam_call what) noexcept {
  const std::size_t number = ++calls_[index(what)];
  if (!fault_ || fault_->what != what) return false;
  const bool follows = number > fault_->number && fault_->shape == fault_shape::from_then_on;
  return number == fault_->number || follows;
}

void ledger::breach(const std::string& text) {
  const std::lock_guard hold(lock_);
  breaches_.push_back(text);
}

std::string ledger::verdict() const {
  std::string text;
  const std::lock_guard hold(lock_);
  for (const std::string& each : breaches_) text += each + "; ";
  const std::pair<const char*, int> left[] = {{"processes", processes},  {"systems", systems},
                                              {"names", names},          {"acceptors", acceptors},
                                              {"streams", streams},      {"detached streams", detached},
                                              {"operations", operations}};
  for (const auto& [what, count] : left) {
    if (count != 0) text += std::to_string(count) + " " + what + " left over; ";
  }
  return text;
}

}  // namespace tp::test
