// The public handle of a blocking connection.
#include "twinpipe/blocking/connection.hpp"

#include "blocking/connection_state.hpp"
#include "fatal.hpp"
#include "twinpipe/detail/killed.hpp"
#include "twinpipe/process.hpp"

namespace tp::blocking {

using detail::blocking_connection_state;
using detail::unless_killed;

connection::connection(std::unique_ptr<blocking_connection_state> state) noexcept
    : state_(std::move(state)) {}
connection::connection(connection&& other) noexcept = default;
connection& connection::operator=(connection&& other) noexcept = default;
connection::~connection() = default;

result<connection> connection::adopt(process& owner, detail::established made, operation kind) {
  auto stream = owner.twin().attach_blocking(std::move(made.stream));
  if (!stream) return fail(stream.error().about(kind, made.subject));
  made.slot.note_admission();
  return connection(std::make_unique<blocking_connection_state>(owner, std::move(*stream), std::move(made)));
}

blocking_connection_state& connection::state() const {
  if (state_ == nullptr) detail::fatal("a connection was used after it had been moved from");
  return *state_;
}

send_result connection::send(std::span<const std::byte> bytes, const limits& how) {
  return unless_killed(state().send(bytes, how));
}
result<received> connection::receive(std::span<std::byte> into, const limits& how) {
  return unless_killed(state().receive(into, how));
}
result<received> connection::receive(buffer& into, const limits& how) {
  return unless_killed(state().call<detail::receive_operation>(how, into));
}
result<void> connection::shutdown(const limits& how) {
  return unless_killed(state().call<detail::shutdown_operation>(how));
}
result<void> connection::drain(const limits& how) {
  return unless_killed(state().call<detail::drain_operation>(how));
}
result<delivery> connection::close(const limits& how) {
  return unless_killed(state().call<detail::close_operation>(how));
}

void connection::abort() noexcept {
  state().abort();
}

drain_guarantee connection::drain_guarantee() const noexcept {
  return state().inside().drain_guarantee();
}
const identity& connection::peer() const noexcept {
  return state().inside().peer();
}
impersonation_level connection::level() const noexcept {
  return state().inside().terms().level;
}
transmission connection::mode() const noexcept {
  return state().inside().terms().mode;
}
std::uint64_t connection::id() const noexcept {
  return state().inside().terms().id;
}

result<detail::runtime_state*> connection::enter_client() {
  return state().enter_client();
}

}  // namespace tp::blocking
