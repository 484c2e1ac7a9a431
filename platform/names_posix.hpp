// Binding names, and reaching them.
#pragma once

#include <memory>

#include "known_socket_posix.hpp"
#include "twinpipe/backend/names.hpp"

namespace tp::platform {

[[nodiscard]] std::unique_ptr<backend::names> make_names();

/// One attempt, which never waits. Fills stream, or detail. `last` is this thread's.
[[nodiscard]] backend::status try_connect(backend::connect_op& op, known_socket& last);

}  // namespace tp::platform
