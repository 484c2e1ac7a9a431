// What the kernel of a Unix system can't promise of an access policy.
#pragma once

#include <string>

#include "twinpipe/backend/names.hpp"

namespace tp::core {

/// In sentences, for bound_name::unenforced(); empty: it promises everything.
[[nodiscard]] std::string unenforced_by_sockets(const backend::bind_request& request);

}  // namespace tp::core
