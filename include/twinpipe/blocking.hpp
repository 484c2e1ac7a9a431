// twinpipe for programs built of threads: the same names, options, errors and meaning as the asynchronous
// interface, in calls that wait.
//
// The two go together in one process: threads that block, runtimes of their own, and loops that were adopted
// may share an endpoint. A connection is of one kind for life.
#pragma once

#include <string_view>

#include "twinpipe/blocking/connection.hpp"
#include "twinpipe/blocking/limits.hpp"
#include "twinpipe/blocking/listener.hpp"
#include "twinpipe/endpoint.hpp"
#include "twinpipe/error.hpp"
#include "twinpipe/options.hpp"

namespace tp {
class process;
}

namespace tp::blocking {

/// See runtime::connect. Any thread. Inside run_as_client it is allowed, with the client's rights on the way
/// to the name, and makes one attempt: who isn't let in at once gets `busy`. Errors: those of
/// runtime::connect, and not_supported (a twin without the capability blocking_streams).
[[nodiscard]] result<connection> connect(process& owner, std::string_view name,
                                         const connect_options& options = {}, const limits& how = {});

/// See runtime::listen. Errors: likewise.
[[nodiscard]] result<listener> listen(process& owner, const endpoint& endpoint);

}  // namespace tp::blocking
