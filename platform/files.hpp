// Factory of files.
#pragma once

#include <memory>

#include "twinpipe/backend/files.hpp"

namespace tp::platform {

[[nodiscard]] std::unique_ptr<backend::files> make_files();

}  // namespace tp::platform
