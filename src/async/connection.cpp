// The public handle of a connection.
#include "twinpipe/connection.hpp"

#include "async/client_scope.hpp"
#include "fatal.hpp"

namespace tp {

using detail::connection_state;

namespace {

template <class Result, class Node>
[[nodiscard]] awaitable<Result> awaitable_of(Node& node) {
  return awaitable<Result>(node);
}

}  // namespace

connection::connection(connection_state& state) noexcept : state_(&state) {
  state_->retain();
}

connection& connection::operator=(connection&& other) noexcept {
  if (this == &other) return *this;
  let_go();
  state_ = std::exchange(other.state_, nullptr);
  return *this;
}

connection::~connection() {
  let_go();
}

void connection::let_go() noexcept {
  if (state_ == nullptr) return;
  abort();
  std::exchange(state_, nullptr)->release();
}

[[gnu::hot]] connection_state& connection::state() const {
  if (state_ == nullptr) detail::fatal("a connection was used after it had been moved from");
  state_->runtime().check_thread_of_message();
  return *state_;
}

connection_state& connection::state_of_rare_call() const {
  connection_state& found = state();
  found.runtime().check_thread();
  return found;
}

[[gnu::hot]] awaitable<send_result> connection::send(std::span<const std::byte> bytes) {
  auto& op = state().acquire<detail::send_operation>();
  op.prepare(bytes);
  return awaitable_of<send_result>(op);
}

[[gnu::hot]] awaitable<result<received>> connection::receive(std::span<std::byte> into) {
  auto& op = state().acquire<detail::receive_operation>();
  op.prepare(into);
  return awaitable_of<result<received>>(op);
}

awaitable<result<received>> connection::receive(buffer& into) {
  auto& op = state().acquire<detail::receive_operation>();
  op.prepare(into);
  return awaitable_of<result<received>>(op);
}

awaitable<result<void>> connection::shutdown() {
  auto& op = state_of_rare_call().acquire<detail::shutdown_operation>();
  op.prepare();
  return awaitable_of<result<void>>(op);
}

awaitable<result<void>> connection::drain() {
  auto& op = state_of_rare_call().acquire<detail::drain_operation>();
  op.prepare();
  return awaitable_of<result<void>>(op);
}

awaitable<result<delivery>> connection::close() {
  auto& op = state_of_rare_call().acquire<detail::close_operation>();
  op.prepare();
  return awaitable_of<result<delivery>>(op);
}

void connection::abort() noexcept {
  state_of_rare_call().tear_down(errc::closed);
}

drain_guarantee connection::drain_guarantee() const noexcept {
  return state().drain_guarantee();
}

const identity& connection::peer() const noexcept {
  return state().peer();
}
impersonation_level connection::level() const noexcept {
  return state().terms().level;
}
transmission connection::mode() const noexcept {
  return state().terms().mode;
}
std::uint64_t connection::id() const noexcept {
  return state().terms().id;
}

result<detail::runtime_state*> connection::enter_client() {
  return detail::enter_client(state_of_rare_call());
}

}  // namespace tp
