// The public handle of a listener.
#include "twinpipe/listener.hpp"

#include "async/listener_state.hpp"
#include "fatal.hpp"

namespace tp {

listener::listener(detail::listener_state& state) noexcept : state_(&state) {
  state_->retain();
}

listener& listener::operator=(listener&& other) noexcept {
  if (this != &other) {
    reset();
    state_ = std::exchange(other.state_, nullptr);
  }
  return *this;
}

listener::~listener() {
  reset();
}

void listener::reset() noexcept {
  auto* const state = std::exchange(state_, nullptr);
  if (state == nullptr) return;
  state->runtime().check_thread();
  state->close();
  state->release();
}

awaitable<result<connection>> listener::accept() {
  if (state_ == nullptr) detail::fatal("a listener was used after it had been moved from");
  state_->runtime().check_thread();
  return awaitable<result<connection>>(state_->make_accept());
}

}  // namespace tp
