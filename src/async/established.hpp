// What a handshake comes to: a stream and its terms, for a driver of either kind to take on.
#pragma once

#include "async/instance_slot.hpp"
#include "core/terms.hpp"
#include "twinpipe/backend/stream.hpp"
#include "twinpipe/connection.hpp"
#include "twinpipe/error.hpp"

namespace tp::detail {

struct established {
  backend::detached_ptr stream;
  core::terms terms;
  shared_text subject;
  instance_slot slot;  ///< none on the client's side
};

/// As an asynchronous connection of this runtime. Errors: those of system::attach, for `kind`.
[[nodiscard]] result<connection> attach(runtime_state& runtime, established made, operation kind);

}  // namespace tp::detail
