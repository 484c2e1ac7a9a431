// The real twin's only door.
#pragma once

#include <memory>

#include "twinpipe/backend/process.hpp"
#include "twinpipe/error.hpp"

namespace tp::platform {

/// The calling process on this system. One per program is enough; several do no harm.
[[nodiscard]] result<std::unique_ptr<backend::process>> make_process();

}  // namespace tp::platform
