// What streams and acceptors of one thread share.
#pragma once

#include <memory>

#include "event_loop.hpp"
#include "twinpipe/backend/stream.hpp"
#include "windows/inbox.hpp"
#include "windows/instance_pool.hpp"
#include "windows/pipe_end.hpp"

namespace tp::platform {

struct thread_loop {
  event_loop& events;
  std::shared_ptr<inbox> box;  ///< for signals of the system's wait threads
};

[[nodiscard]] backend::acceptor_ptr make_acceptor(const thread_loop& loop,
                                                  std::shared_ptr<instance_pool> pool);

/// Own overlapped reads and writes: the pipe can be detached again.
[[nodiscard]] backend::stream_ptr make_half_open_stream(const thread_loop& loop, pipe_end end);

/// Adopted by libuv, for good.
[[nodiscard]] result<backend::stream_ptr> make_established_stream(event_loop& loop, pipe_end end);

}  // namespace tp::platform
