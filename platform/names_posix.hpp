// Binding names, and reaching them.
#pragma once

#include <memory>

#include "twinpipe/backend/names.hpp"

namespace tp::platform {

[[nodiscard]] std::unique_ptr<backend::names> make_names();

/// One attempt, which never waits. Fills stream, or detail.
[[nodiscard]] backend::status try_connect(backend::connect_op& op);

}  // namespace tp::platform
