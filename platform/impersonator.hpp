// Factory of the impersonator.
#pragma once

#include <memory>

#include "twinpipe/backend/identity.hpp"

namespace tp::platform {

[[nodiscard]] std::unique_ptr<backend::impersonator> make_impersonator();
/// Whether this process could act as another user.
[[nodiscard]] bool can_switch_users();

}  // namespace tp::platform
