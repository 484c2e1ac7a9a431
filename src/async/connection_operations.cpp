// The operations of a connection.
#include "async/connection_operations.hpp"

#include "async/connection_state.hpp"

namespace tp::detail {

template <class Node, class Result>
void connection_operation<Node, Result>::use() noexcept {
  this->configure();
  stop_reason = errc::none;
  state_->retain();
}

template <class Node, class Result>
bool connection_operation<Node, Result>::start() {
  if (const errc refused = this->refuse_start(); refused != errc::none) {
    outcome_.emplace(std::unexpected(state_->make_error(refused, this->kind())));
    this->finish_now();
    return true;
  }
  starting_ = true;
  this->begin();
  state_->begin(static_cast<Node&>(*this));
  starting_ = false;
  return !this->pending();
}

template <class Node, class Result>
void connection_operation<Node, Result>::on_stop() noexcept {
  const ref<connection_state> keep(state_);  // the waiter may destroy the connection
  state_->stop(static_cast<Node&>(*this), errc::cancelled);
}

// Nothing of the node is touched afterwards.
template <class Node, class Result>
void connection_operation<Node, Result>::give_back() noexcept {
  const auto keep = ref<connection_state>::adopt(state_);
  this->retire();
  keep->runtime().memory.template pool<Node>().give_back(static_cast<Node&>(*this));
}

template <class Node, class Result>
void connection_operation<Node, Result>::abandon() noexcept {
  if (this->outlives_waiter()) return;
  outcome_.reset();
  give_back();
}

template <class Node, class Result>
Result connection_operation<Node, Result>::take() {
  Result outcome = std::move(*outcome_);
  outcome_.reset();
  give_back();
  return outcome;
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

void send_operation::prepare(std::span<const std::byte> bytes) noexcept {
  use();
  item.payload = bytes;
}

receive_operation::receive_operation(runtime_state& runtime) noexcept
    : connection_operation(runtime, operation::receive) {}

void receive_operation::prepare(std::span<std::byte> bytes) noexcept {
  use();
  span = bytes;
  into = nullptr;
}

void receive_operation::prepare(buffer& bytes) noexcept {
  use();
  span = {};
  into = &bytes;
}

shutdown_operation::shutdown_operation(runtime_state& runtime) noexcept
    : connection_operation(runtime, operation::shutdown) {}

drain_operation::drain_operation(runtime_state& runtime) noexcept
    : connection_operation(runtime, operation::drain) {}

close_operation::close_operation(runtime_state& runtime) noexcept
    : connection_operation(runtime, operation::close) {}

}  // namespace tp::detail
