// Taking on a client's identity.
#pragma once

#include "async/connection_state.hpp"
#include "twinpipe/detail/client_scope.hpp"

namespace tp::detail {

/// The calling thread becomes the connection's client, until a client_scope of the runtime ends.
[[nodiscard]] result<runtime_state*> enter_client(const connection_state& at);

}  // namespace tp::detail
