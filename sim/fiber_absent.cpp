// Without Boost.Context there are no stacks to switch to: processes of a world can be used from outside only.
#include "fatal.hpp"
#include "fiber.hpp"

namespace tp::sim {

bool fibers_available() noexcept {
  return false;
}

fiber::fiber() noexcept = default;
fiber::~fiber() = default;
void fiber::start(fiber* (*)(void*), void*) {
  detail::fatal("this build of the simulator has no threads: Boost.Context was not there when it was made");
}
void fiber::switch_to(fiber&) {}
bool fiber::overflows_at(const void*) const noexcept {
  return false;
}

}  // namespace tp::sim
