// Blocking connects.
#include "async/connect_operation.hpp"
#include "blocking/private_loop.hpp"
#include "twinpipe/blocking.hpp"
#include "twinpipe/detail/killed.hpp"
#include "twinpipe/escape.hpp"
#include "twinpipe/process.hpp"

namespace tp::blocking {

result<connection> connect(process& owner, std::string_view name, const connect_options& options,
                           const limits& how) {
  auto place = owner.meeting_places_->take(owner);
  if (!place) return fail(place.error().about(operation::connect, make_text(in_quotes(name))));
  auto& op = *new detail::connect_operation((*place)->runtime(), name, options);
  op.leave_detached();
  op.allow_as_client();
  (*place)->run_to_end(op, how);
  auto taken = op.take_established();
  owner.meeting_places_->give_back(std::move(*place));
  if (!taken) return detail::unless_killed(result<connection>(std::unexpected(taken.error())));
  return detail::unless_killed(connection::adopt(owner, std::move(*taken), operation::connect));
}

}  // namespace tp::blocking
