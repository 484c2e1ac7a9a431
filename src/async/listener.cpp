// The public handle of a listener.
#include "twinpipe/listener.hpp"

#include "async/listener_state.hpp"

namespace tp {

listener::listener(detail::listener_state& state) noexcept : state_(&state) {
  state_->retain();
}

listener& listener::operator=(listener&& other) noexcept {
  std::swap(state_, other.state_);
  return *this;
}

listener::~listener() {
  if (state_ == nullptr) return;
  state_->close();
  state_->release();
}

awaitable<result<connection>> listener::accept() {
  return awaitable<result<connection>>(state_->make_accept());
}

}  // namespace tp
