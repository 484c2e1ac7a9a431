// Factory of a thread's system.
#pragma once

#include <memory>

#include "twinpipe/backend/system.hpp"

namespace tp::platform {

[[nodiscard]] result<std::unique_ptr<backend::system>> make_system(const backend::system_options& options);

}  // namespace tp::platform
