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
[[nodiscard]] Node& acquire(connection_state& state) {
  Node& node = state.runtime().memory.pool<Node>().acquire(state.runtime());
  node.belong_to(state);
  return node;
}

template <class Result, class Node>
[[nodiscard]] awaitable<Result> awaitable_of(Node& node) {
  return awaitable<Result>(node);
}

/// Most clients leave the level as it is, so the error says what they have to change.
[[nodiscard]] error grants_too_little(const connection_state& at) {
  const bool anonymous = at.terms().level == impersonation_level::anonymous;
  std::string text(at.make_error(errc::impersonation_denied, operation::run_as_client).subject());
  text.append(": the client connected with the level ").append(anonymous ? "anonymous" : "identification");
  text.append(", and connect_options::level has to be impersonation");
  return error(errc::impersonation_denied, operation::run_as_client, 0, make_text(std::move(text)));
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

connection_state& connection::state() const {
  if (state_ == nullptr) detail::fatal("a connection was used after it had been moved from");
  state_->runtime().check_thread();
  return *state_;
}

awaitable<send_result> connection::send(std::span<const std::byte> bytes) {
  auto& op = acquire<detail::send_operation>(state());
  op.prepare(bytes);
  return awaitable_of<send_result>(op);
}

awaitable<result<received>> connection::receive(std::span<std::byte> into) {
  auto& op = acquire<detail::receive_operation>(state());
  op.prepare(into);
  return awaitable_of<result<received>>(op);
}

awaitable<result<received>> connection::receive(buffer& into) {
  auto& op = acquire<detail::receive_operation>(state());
  op.prepare(into);
  return awaitable_of<result<received>>(op);
}

awaitable<result<void>> connection::shutdown() {
  auto& op = acquire<detail::shutdown_operation>(state());
  op.prepare();
  return awaitable_of<result<void>>(op);
}

awaitable<result<void>> connection::drain() {
  auto& op = acquire<detail::drain_operation>(state());
  op.prepare();
  return awaitable_of<result<void>>(op);
}

awaitable<result<delivery>> connection::close() {
  auto& op = acquire<detail::close_operation>(state());
  op.prepare();
  return awaitable_of<result<delivery>>(op);
}

void connection::abort() noexcept {
  state().tear_down(errc::closed);
}

drain_guarantee connection::drain_guarantee() const noexcept {
  const connection_state& at = state();
  if (at.terms().framed) {
    return at.terms().app_drain ? tp::drain_guarantee::application : tp::drain_guarantee::none;
  }
  return at.runtime().twin().features().drain ? tp::drain_guarantee::kernel : tp::drain_guarantee::none;
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
  const connection_state& at = state();
  auto& runtime = at.runtime();
  const auto refuse = [&](errc code) { return tp::fail(at.make_error(code, operation::run_as_client)); };
  if (at.closed()) return refuse(errc::closed);
  if (!at.terms().server) return refuse(errc::invalid_argument);
  if (runtime.impersonating()) return refuse(errc::not_while_impersonating);
  if (at.terms().level < impersonation_level::impersonation) return tp::fail(grants_too_little(at));
  auto entered = runtime.twin().impersonator().enter(at.peer());
  if (!entered) return tp::fail(entered.error().about(operation::run_as_client, nullptr));
  return &runtime;
}

void connection::leave_client(detail::runtime_state& runtime) noexcept {
  runtime.twin().impersonator().revert();
  runtime.owner().withdrawals_->identity_left();
}

}  // namespace tp
