// Taking on a client's identity, and leaving it.
#include "async/client_scope.hpp"

#include <string>

#include "async/withdrawals.hpp"
#include "twinpipe/process.hpp"

namespace tp::detail {
namespace {

/// Most clients leave the level as it is, so the error says what they have to change.
[[nodiscard]] error grants_too_little(const connection_state& at) {
  const bool anonymous = at.terms().level == impersonation_level::anonymous;
  std::string text(at.make_error(errc::impersonation_denied, operation::run_as_client).subject());
  text.append(": the client connected with the level ").append(anonymous ? "anonymous" : "identification");
  text.append(", and connect_options::level has to be impersonation");
  return error(errc::impersonation_denied, operation::run_as_client, 0, make_text(std::move(text)));
}

}  // namespace

result<runtime_state*> enter_client(const connection_state& at) {
  auto& runtime = at.runtime();
  const auto refuse = [&](errc code) { return tp::fail(at.make_error(code, operation::run_as_client)); };
  if (at.closed()) return refuse(errc::closed);
  if (!at.terms().server) return refuse(errc::invalid_argument);
  if (runtime.impersonating()) return refuse(errc::not_while_impersonating);
  if (at.terms().level < impersonation_level::impersonation) return tp::fail(grants_too_little(at));
  auto entered = runtime.twin().impersonator().enter(at.peer());
  if (!entered) return tp::fail(entered.error().about(operation::run_as_client, nullptr));
  ++client_scopes;
  return &runtime;
}

client_scope::~client_scope() {
  runtime_.twin().impersonator().revert();
  --client_scopes;
  runtime_.owner().withdrawals_->identity_left();
}

}  // namespace tp::detail
