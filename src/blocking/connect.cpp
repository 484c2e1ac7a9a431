// Blocking connects.
#include "async/connect_operation.hpp"
#include "blocking/private_loop.hpp"
#include "twinpipe/blocking.hpp"
#include "twinpipe/escape.hpp"
#include "twinpipe/process.hpp"

namespace tp::blocking {

result<connection> connect(process& owner, std::string_view name, const connect_options& options,
                           const limits& how) {
  auto loop = owner.private_loops_->take(owner);
  if (!loop) return fail(loop.error().about(operation::connect, make_text(in_quotes(name))));
  auto& op = *new detail::connect_operation(**loop, name, options);
  op.leave_detached();
  op.allow_as_client();
  detail::run_to_end(**loop, op, how);
  auto taken = op.take_established();
  owner.private_loops_->give_back(std::move(*loop));
  if (!taken) return std::unexpected(taken.error());
  return connection::adopt(owner, std::move(*taken), operation::connect);
}

}  // namespace tp::blocking
