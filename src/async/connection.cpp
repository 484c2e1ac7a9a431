// The public handle of a connection.
#include "twinpipe/connection.hpp"

#include "async/connection_state.hpp"
#include "async/withdrawals.hpp"
#include "fatal.hpp"
#include "twinpipe/process.hpp"

namespace tp {

using detail::connection_state;

namespace {

template <class Node>
[[nodiscard]] Node& acquire(connection_state* state) {
  if (state == nullptr) detail::fatal("a connection was used after it had been moved from");
  return state->pool<Node>().acquire(*state);
}

template <class Result, class Node>
[[nodiscard]] awaitable<Result> awaitable_of(Node& node) {
  return awaitable<Result>(node);
}

}  // namespace

connection::connection(connection_state& state) noexcept : state_(&state) {
  state_->retain();
}

connection& connection::operator=(connection&& other) noexcept {
  std::swap(state_, other.state_);
  return *this;
}

connection::~connection() {
  if (state_ == nullptr) return;
  abort();
  state_->release();
}

awaitable<send_result> connection::send(std::span<const std::byte> bytes) {
  auto& op = acquire<detail::send_operation>(state_);
  op.prepare(bytes);
  return awaitable_of<send_result>(op);
}

awaitable<result<received>> connection::receive(std::span<std::byte> into) {
  auto& op = acquire<detail::receive_operation>(state_);
  op.prepare(into);
  return awaitable_of<result<received>>(op);
}

awaitable<result<received>> connection::receive(buffer& into) {
  auto& op = acquire<detail::receive_operation>(state_);
  op.prepare(into);
  return awaitable_of<result<received>>(op);
}

awaitable<result<void>> connection::shutdown() {
  auto& op = acquire<detail::shutdown_operation>(state_);
  op.prepare();
  return awaitable_of<result<void>>(op);
}

awaitable<result<void>> connection::drain() {
  auto& op = acquire<detail::drain_operation>(state_);
  op.prepare();
  return awaitable_of<result<void>>(op);
}

awaitable<result<delivery>> connection::close() {
  auto& op = acquire<detail::close_operation>(state_);
  op.prepare();
  return awaitable_of<result<delivery>>(op);
}

void connection::abort() noexcept {
  state_->tear_down(errc::closed);
}

drain_guarantee connection::drain_guarantee() const noexcept {
  if (state_->terms().framed) {
    return state_->terms().app_drain ? tp::drain_guarantee::application : tp::drain_guarantee::none;
  }
  return state_->runtime().twin().features().drain ? tp::drain_guarantee::kernel : tp::drain_guarantee::none;
}

const identity& connection::peer() const noexcept {
  return state_->peer();
}
impersonation_level connection::level() const noexcept {
  return state_->terms().level;
}
transmission connection::mode() const noexcept {
  return state_->terms().mode;
}
std::uint64_t connection::id() const noexcept {
  return state_->terms().id;
}

result<void> connection::enter_client() {
  auto& runtime = state_->runtime();
  const auto refuse = [&](errc code) { return tp::fail(state_->make_error(code, operation::run_as_client)); };
  if (state_->closed()) return refuse(errc::closed);
  if (!state_->terms().server) return refuse(errc::invalid_argument);
  if (runtime.impersonating()) return refuse(errc::not_while_impersonating);
  if (state_->terms().level < impersonation_level::impersonation) return refuse(errc::impersonation_denied);
  auto entered = runtime.twin().impersonator().enter(state_->peer());
  if (!entered) return tp::fail(entered.error().about(operation::run_as_client, nullptr));
  runtime.set_impersonating(true);
  return {};
}

void connection::leave_client() noexcept {
  state_->runtime().twin().impersonator().revert();
  state_->runtime().set_impersonating(false);
  state_->runtime().owner().withdrawals().identity_left();
}

}  // namespace tp
