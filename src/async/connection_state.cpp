// An asynchronous connection: how it begins.
#include "async/connection_state.hpp"

namespace tp::detail {

connection_state::connection_state(runtime_state& runtime, backend::stream_ptr stream,
                                   const core::terms& terms, shared_text subject, instance_slot slot) noexcept
    : resident(runtime),
      stream_(std::move(stream)),
      terms_(terms),
      subject_(std::move(subject)),
      slot_(std::move(slot)),
      outbound_(terms.mode, terms.framed, runtime.memory.write_blocks, runtime.memory.resource),
      inbound_(terms.mode, terms.framed, terms.max_receive, runtime.memory.read_blocks),
      write_op_(handler<&connection_state::write_ended>(), this),
      read_op_(handler<&connection_state::read_ended>(), this),
      shutdown_op_(handler<&connection_state::on_shutdown>(), this),
      drain_op_(handler<&connection_state::on_kernel_drain>(), this),
      timer_op_(handler<&connection_state::timer_ended>(), this),
      background_op_(handler<&connection_state::watch>(), this),
      withheld_(&runtime.memory.resource) {}

connection_state& connection_state::make(runtime_state& runtime, backend::stream_ptr stream,
                                         const core::terms& terms, shared_text subject, instance_slot slot) {
  void* const place = runtime.memory.resource.allocate(sizeof(connection_state), alignof(connection_state));
  return *new (place)
      connection_state(runtime, std::move(stream), terms, std::move(subject), std::move(slot));
}

void connection_state::destroy() noexcept {
  std::pmr::memory_resource& resource = runtime_.memory.resource;
  this->~connection_state();
  resource.deallocate(this, sizeof(connection_state), alignof(connection_state));
}

}  // namespace tp::detail
