// The end of a thread whose simulated process was killed.
#include "twinpipe/detail/killed.hpp"

#include <exception>

namespace tp::detail {

namespace {
// A world is one thread's, and so are its exceptions; worlds beside it have their own.
constinit thread_local int alive = 0;
}  // namespace

process_killed::process_killed() noexcept {
  ++alive;
}
process_killed::process_killed(const process_killed&) noexcept {
  ++alive;
}
process_killed::~process_killed() {
  --alive;
}
bool process_killed::in_flight() noexcept {
  return alive != 0;
}

void leave_killed() {
  if (std::uncaught_exceptions() == 0) throw process_killed();
}

}  // namespace tp::detail
