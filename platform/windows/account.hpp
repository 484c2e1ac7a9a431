// Accounts as Windows names them: security identifiers (SIDs), and the descriptor that says who may open a
// pipe.
#pragma once

#include <windows.h>

#include <memory>
#include <string>

#include "twinpipe/error.hpp"
#include "twinpipe/options.hpp"

namespace tp::platform {

struct local_freer {
  void operator()(void* memory) const noexcept { LocalFree(memory); }
};

/// "S-1-5-21-…"; empty if there is no room for it.
[[nodiscard]] std::string sid_text(PSID sid);

/// The user of a token that grants TOKEN_QUERY; empty if the token doesn't say.
[[nodiscard]] std::string user_of(HANDLE token);

/// The user this process runs as.
[[nodiscard]] const std::string& own_sid();

/// Who owns the kernel object: for a pipe the account of the server that created it. Empty if the handle
/// doesn't tell.
[[nodiscard]] std::string owner_of(HANDLE pipe);

/// What a client asks of a pipe, and all that a client is granted. GENERIC_WRITE would include
/// FILE_APPEND_DATA, which on a pipe is FILE_CREATE_PIPE_INSTANCE, the right to serve the name ("Named Pipe
/// Security and Access Rights").
inline constexpr DWORD client_rights = FILE_READ_DATA | FILE_WRITE_DATA | FILE_READ_ATTRIBUTES |
                                       FILE_WRITE_ATTRIBUTES | READ_CONTROL | SYNCHRONIZE;

/// A security descriptor in the self-relative form that SECURITY_ATTRIBUTES takes.
using descriptor_ptr = std::unique_ptr<void, local_freer>;

/// Owner and full access for the own account, full access for SYSTEM, client_rights for the audience, nothing
/// over the network. not_supported for audiences that are numbers of Unix.
[[nodiscard]] result<descriptor_ptr> pipe_security(access_policy::audience audience);

}  // namespace tp::platform
