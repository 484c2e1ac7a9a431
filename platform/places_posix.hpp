// Where names stand on Unix: from a name to a directory and a file in it.
#pragma once

#include <sys/types.h>

#include <string>
#include <string_view>
#include <vector>

#include "twinpipe/backend/names.hpp"

namespace tp::platform {

/// One file that a name may mean.
struct place {
  std::string directory;
  std::string file;
  mode_t create_mode = 0;  ///< 0: the directory must exist
  bool follow = true;      ///< the directory may be reached through a symbolic link: a user named it
  bool exact = true;       ///< named by the user, with a socket of any owner that can be trusted there

  [[nodiscard]] std::string path() const;
};

/// Why TWINPIPE_RUNTIME_DIR isn't used though it is set: a phrase; else empty.
[[nodiscard]] std::string unused_environment();

/// Where a server puts the name. Errors: not_supported for names of other hosts, name_too_long.
[[nodiscard]] result<place> place_to_bind(const endpoint_name& name, name_scope scope,
                                          std::string_view directory);

/// Where a client looks, in this order. The same errors.
[[nodiscard]] result<std::vector<place>> places_to_look(const endpoint_name& name,
                                                        std::string_view directory);

}  // namespace tp::platform
