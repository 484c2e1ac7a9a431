// An asynchronous connection: how it begins.
#include "async/connection_state.hpp"

#include "async/established.hpp"

namespace tp::detail {

connection_state::connection_state(runtime_state& runtime, backend::stream_ptr stream,
                                   const core::terms& terms, shared_text subject, instance_slot slot) noexcept
    : resident(runtime),
      stream_(std::move(stream)),
      terms_(terms),
      sends_bare_(!terms.framed && terms.mode == transmission::byte && terms.can_send),
      receives_bare_(!terms.framed && terms.mode == transmission::byte && terms.can_receive),
      outbound_(terms.mode, terms.framed, runtime.memory.write_blocks),
      inbound_(terms.mode, terms.framed, terms.max_receive, runtime.memory.read_blocks),
      subject_(std::move(subject)),
      slot_(std::move(slot)) {}

connection_state& connection_state::make(runtime_state& runtime, backend::stream_ptr stream,
                                         const core::terms& terms, shared_text subject, instance_slot slot) {
  void* const place = runtime.memory.resource.allocate(sizeof(connection_state), alignof(connection_state));
  return *new (place)
      connection_state(runtime, std::move(stream), terms, std::move(subject), std::move(slot));
}

void connection_state::destroy() noexcept {
  const auto give_back = [&pool = runtime_.memory.ops](lent_op& each) {
    if (each.is_lent()) each.give_back(pool);
  };
  for (lent_op* const each : {&write_op_, &timer_op_, &background_op_}) give_back(*each);
  if (lent_read_.is_lent()) lent_read_.give_back(runtime_.memory.reads);
  if (drains_ != nullptr) {
    give_back(drains_->shutdown_op);
    give_back(drains_->drain_op);
    runtime_.memory.drain_states.give_back(*drains_);
  }
  std::pmr::memory_resource& resource = runtime_.memory.resource;
  this->~connection_state();
  resource.deallocate(this, sizeof(connection_state), alignof(connection_state));
}

drain_state& connection_state::drains() {
  if (drains_ == nullptr) {
    drains_ = &runtime_.memory.drain_states.acquire(runtime_.memory.resource);
    drains_->reset();
  }
  return *drains_;
}

error connection_state::make_error(errc code, operation op, int system_cause) const {
  const error bare(code, op, system_cause, subject_);
  const bool concerns_threads = code == errc::operation_in_progress || code == errc::queue_full;
  if (concerns_threads && runtime_.left_to_callers()) return bare.in(circumstance::blocking);
  return code == errc::closed && grace_passed_ ? bare.in(circumstance::grace_passed) : bare;
}

error connection_state::too_large(operation op, std::uint64_t bytes, std::size_t most) const {
  return error(errc::message_too_large, op, 0,
               make_text(*subject_ + ", " + std::to_string(bytes) + " bytes where " + std::to_string(most) +
                         " are allowed"));
}

error connection_state::receive_error(errc code, int system_cause) const {
  if (code == errc::message_too_large)
    return too_large(operation::receive, inbound_.refused_size(), terms_.max_receive);
  return make_error(code, operation::receive, system_cause);
}

error connection_state::send_error(errc refused, std::size_t bytes) const {
  if (refused == errc::message_too_large) return too_large(operation::send, bytes, terms_.max_send);
  return make_error(refused, operation::send, refused == send_failure_ ? send_cause_ : 0);
}

result<connection> attach(runtime_state& runtime, established made, operation kind) {
  auto stream = runtime.system().attach(std::move(made.stream), backend::attachment::established);
  if (!stream) return fail(stream.error().about(kind, made.subject));
  made.slot.note_admission();
  return connection(connection_state::make(runtime, std::move(*stream), made.terms, std::move(made.subject),
                                           std::move(made.slot)));
}

}  // namespace tp::detail
