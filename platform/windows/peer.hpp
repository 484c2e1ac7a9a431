// Who is at the other end of a pipe, by the kernel's word.
#pragma once

#include "twinpipe/identity.hpp"
#include "windows/handle.hpp"
#include "windows/pipe_end.hpp"

namespace tp::platform {

/// What a client has given with its connection: its token, at the level it chose, and its process. It
/// outlives the pipe. identity::process carries it, so that backend::impersonator finds the token.
class client_credentials final : public process_handle {
 public:
  client_credentials(unique_handle token, unique_handle process) noexcept
      : token_(std::move(token)), process_(std::move(process)) {}
  [[nodiscard]] bool exited() const noexcept override;
  [[nodiscard]] HANDLE token() const noexcept { return token_.get(); }

 private:
  unique_handle token_;
  unique_handle process_;
};

/// Fills in the client of a server's end. Windows tells only after a read if the client asked for dynamic
/// tracking, as one does that says nothing about it (ImpersonateNamedPipeClient, ERROR_CANNOT_IMPERSONATE);
/// the flag in `end` then stays set, and streams ask again after their first read.
void learn_client(pipe_end& end) noexcept;

/// The server of a client's end: the owner of the pipe.
[[nodiscard]] identity server_of(HANDLE pipe);

/// This process.
[[nodiscard]] identity own_identity();

}  // namespace tp::platform
