// Blocking accepts.
#include "twinpipe/blocking/listener.hpp"

#include "blocking/listener_state.hpp"
#include "blocking/private_loop.hpp"
#include "fatal.hpp"
#include "twinpipe/blocking.hpp"
#include "twinpipe/detail/killed.hpp"
#include "twinpipe/process.hpp"

namespace tp::detail {

blocking_listener_state::~blocking_listener_state() {
  if (accepting_) fatal("a blocking listener was destroyed while another thread waited in its accept");
  loop_->adopt_thread();
  listener_->close();
  listener_ = {};
}

result<blocking::connection> blocking_listener_state::accept(const blocking::limits& how) {
  if (accepting_.exchange(true))
    return fail(error(errc::operation_in_progress, operation::accept, 0, listener_->subject())
                    .in(circumstance::blocking));
  auto taken = accept_next(how);
  accepting_ = false;
  return taken;
}

result<blocking::connection> blocking_listener_state::accept_next(const blocking::limits& how) {
  loop_->adopt_thread();
  accept_operation& op = listener_->make_accept();
  listener_->attend(true);
  run_to_end(*loop_, op, how);
  settle();
  listener_->attend(false);
  auto taken = op.take_established();
  if (!taken && loop_->owner().twin().killed()) return fail(errc::process_killed, operation::accept);
  if (!taken) return std::unexpected(taken.error());
  return blocking::connection::adopt(loop_->owner(), std::move(*taken), operation::accept);
}

// The half-open clients of this accept go to the endpoint, where others can take them: nobody turns this loop
// until the next.
void blocking_listener_state::settle() {
  while (!listener_->settled()) loop_->turn(never);
}

}  // namespace tp::detail

namespace tp::blocking {

listener::listener(std::unique_ptr<detail::blocking_listener_state> state) noexcept
    : state_(std::move(state)) {}
listener::listener(listener&& other) noexcept = default;
listener& listener::operator=(listener&& other) noexcept = default;
listener::~listener() = default;

result<connection> listener::accept(const limits& how) {
  if (state_ == nullptr) detail::fatal("a listener was used after it had been moved from");
  return detail::unless_killed(state_->accept(how));
}

result<listener> listen(process& owner, const endpoint& endpoint) {
  const auto& shared = endpoint.owner()->state();
  const auto refuse = [&](const error& why) { return fail(why.about(operation::listen, shared->subject())); };
  if (owner.twin().impersonator().active())
    return refuse(error(errc::not_while_impersonating, operation::listen));
  auto loop = detail::make_private_loop(owner, operation::listen);
  if (!loop) return refuse(loop.error());
  auto made = detail::make_listener(**loop, endpoint);
  if (!made) return std::unexpected(made.error());
  return listener(std::make_unique<detail::blocking_listener_state>(std::move(*loop), std::move(*made)));
}

}  // namespace tp::blocking
