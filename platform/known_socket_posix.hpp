// The socket that was connected to last.
#pragma once

#include <sys/stat.h>

#include <string>

#include "directory_posix.hpp"
#include "peer_identity.hpp"
#include "places_posix.hpp"

namespace tp::platform {

/// A directory and a socket file in it, opened (O_PATH) by a connect that succeeded and kept for the next
/// one: while their names still mean them, which one question for each tells, nothing has to be opened and
/// closed. Who they belong to and what their modes are is asked each time, with the rights that the caller
/// has then.
struct known_socket {
  directory_handle directory;
  std::string file;
  bool follow = true;
  descriptor path;
  struct stat info{};
  known_process server;

  /// Looks again. False: it isn't this place, or another file stands there now.
  [[nodiscard]] bool is_at(const place& where);
};

}  // namespace tp::platform
