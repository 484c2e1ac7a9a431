// An asynchronous connection: how it begins.
#include "async/connection_state.hpp"

#include "async/established.hpp"

namespace tp::detail {

connection_state::connection_state(runtime_state& runtime, backend::stream_ptr stream,
                                   const core::terms& terms, shared_text subject, instance_slot slot) noexcept
    : resident(runtime),
      stream_(std::move(stream)),
      terms_(terms),
      subject_(std::move(subject)),
      slot_(std::move(slot)),
      outbound_(terms.mode, terms.framed),
      inbound_(terms.mode, terms.framed, terms.max_receive),
      write_op_(handler<&connection_state::write_ended>(), this),
      read_op_(handler<&connection_state::read_ended>(), this),
      shutdown_op_(handler<&connection_state::on_shutdown>(), this),
      drain_op_(handler<&connection_state::on_kernel_drain>(), this),
      timer_op_(handler<&connection_state::timer_ended>(), this),
      background_op_(handler<&connection_state::watch>(), this) {}

result<connection> attach(runtime_state& runtime, established made, operation kind) {
  auto stream = runtime.system().attach(std::move(made.stream), backend::attachment::established);
  if (!stream) return fail(stream.error().about(kind, made.subject));
  made.slot.note_admission();
  return connection(*new connection_state(runtime, std::move(*stream), made.terms, std::move(made.subject),
                                          std::move(made.slot)));
}

}  // namespace tp::detail
