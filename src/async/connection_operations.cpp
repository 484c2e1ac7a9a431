// The operations of a connection.
#include "async/connection_operations.hpp"

#include "async/connection_operation_steps.hpp"

namespace tp::detail {

template <class Node, class Result>
void connection_operation<Node, Result>::refuse(errc code) noexcept {
  set(std::unexpected(state_->make_error(code, this->kind())));
  this->finish_now();
}

template <class Node, class Result>
void connection_operation<Node, Result>::on_stop() noexcept {
  const ref<connection_state> keep(state_);  // the waiter may destroy the connection
  state_->stop(static_cast<Node&>(*this), errc::cancelled);
}

template <class Node, class Result>
void connection_operation<Node, Result>::abandon() noexcept {
  if (this->outlives_waiter()) return;
  outcome_.reset();
  give_back();
}

template class connection_operation<send_operation, send_result>;
template class connection_operation<receive_operation, result<received>>;
template class connection_operation<shutdown_operation, result<void>>;
template class connection_operation<drain_operation, result<void>>;
template class connection_operation<close_operation, result<delivery>>;

send_operation::send_operation(runtime_state& runtime) noexcept
    : connection_operation(runtime, operation::send) {
  item.operation = this;
}

receive_operation::receive_operation(runtime_state& runtime) noexcept
    : connection_operation(runtime, operation::receive) {}

shutdown_operation::shutdown_operation(runtime_state& runtime) noexcept
    : connection_operation(runtime, operation::shutdown) {}

drain_operation::drain_operation(runtime_state& runtime) noexcept
    : connection_operation(runtime, operation::drain) {}

close_operation::close_operation(runtime_state& runtime) noexcept
    : connection_operation(runtime, operation::close) {}

}  // namespace tp::detail
