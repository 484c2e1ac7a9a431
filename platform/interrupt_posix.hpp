// The interrupt as what poll(2) can wait for.
#pragma once

#include <memory>

#include "twinpipe/backend/blocking.hpp"

namespace tp::platform {

[[nodiscard]] result<std::unique_ptr<backend::interrupt>> make_interrupt();

/// Readable while it is raised. Of one that make_interrupt made.
[[nodiscard]] int descriptor_of(const backend::interrupt& made) noexcept;

}  // namespace tp::platform
