// A stream made of descriptors that a program was given: inherited pipes, a terminal, a socket.
#pragma once

#include "channel_posix.hpp"
#include "twinpipe/error.hpp"

namespace tp::platform {

/// Takes the descriptors over, also when it fails. What backend::process::adopt promises.
[[nodiscard]] result<backend::detached_ptr> adopt_descriptors(backend::native_handle in,
                                                              backend::native_handle out);

}  // namespace tp::platform
