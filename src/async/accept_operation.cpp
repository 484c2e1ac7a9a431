// One accept of a listener.
#include "async/listener_state.hpp"
#include "async/operation_steps.hpp"

namespace tp::detail {

accept_operation& listener_state::make_accept() {
  return *new accept_operation(*this);
}

accept_operation::accept_operation(listener_state& listener) noexcept
    : typed_operation(listener.runtime(), operation::accept), listener_(&listener) {
  configure();
}

bool accept_operation::start() {
  if (const errc refused = refuse_start(); refused != errc::none) {
    end(tp::fail(refused, tp::operation::accept, 0, listener_->subject()), true);
    return true;
  }
  begin();
  listener_->begin(*this);
  return !pending();
}

void accept_operation::end(result<established> outcome, bool starting) noexcept {
  outcome_.emplace(std::move(outcome));
  starting ? finish_now() : complete_later();
}

void accept_operation::abandon() noexcept {
  if (outlives_waiter()) return;
  delete this;
}

result<established> accept_operation::take_established() {
  result<established> outcome = std::move(*outcome_);
  retire();
  delete this;
  return outcome;
}

result<connection> accept_operation::take() {
  runtime_state& runtime = runtime_;
  auto outcome = take_established();
  if (!outcome) return std::unexpected(outcome.error());
  return attach(runtime, std::move(*outcome), tp::operation::accept);
}

}  // namespace tp::detail
