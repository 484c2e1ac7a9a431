// Who is at the other end of a pipe, by the kernel's word.
#pragma once

#include "twinpipe/identity.hpp"
#include "windows/handle.hpp"
#include "windows/pipe_end.hpp"

namespace tp::platform {

/// What a client has given with its connection: its token, at the level it chose. It outlives the pipe.
class client_token final : public peer_token {
 public:
  explicit client_token(unique_handle token) noexcept : token_(std::move(token)) {}
  [[nodiscard]] HANDLE get() const noexcept { return token_.get(); }

 private:
  unique_handle token_;
};

/// Fills in the client of a server's end. Windows tells only after a read if the client asked for dynamic
/// tracking, as one does that says nothing about it (ImpersonateNamedPipeClient, ERROR_CANNOT_IMPERSONATE);
/// the flag in `end` is set then, and a half-open stream asks again after its first read.
void learn_client(pipe_end& end) noexcept;

/// The server of a client's end: the owner of the pipe.
[[nodiscard]] identity server_of(HANDLE pipe);

/// This process.
[[nodiscard]] identity own_identity();

}  // namespace tp::platform
