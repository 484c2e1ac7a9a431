// Names of endpoints: how they are written, and what they mean on every system.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "twinpipe/error.hpp"

namespace tp {

/// How an endpoint's name was written, and with that where it is looked up.
enum class name_kind : std::uint8_t {
  plain,          ///< `files`: in the user's or the system's scope
  pipe,           ///< `\\.\pipe\x`: exact on Windows, the system scope on Unix
  unix_path,      ///< `/abs/path` or `unix:/abs/path`: a socket at that path; Unix only
  unix_abstract,  ///< `unix-abstract:x`: no file and no permissions, so both sides check the peer; Linux only
  dotnet,         ///< `dotnet:x`: the name that System.IO.Pipes uses, raw profile, byte mode
  remote_pipe,    ///< `\\host\pipe\x`
  ssh,            ///< `ssh://[user@]host/x`
};

/// Whose names a plain name is looked up among.
enum class name_scope : std::uint8_t {
  user,    ///< this user's own
  system,  ///< everybody's; only a privileged server may bind there on Unix
};

/// A parsed name. A value; it doesn't touch the system.
class endpoint_name {
 public:
  /// Accepts
  /// - `[A-Za-z0-9._-]{1,200}`, not starting with a dot, not ending in `.lock`: a plain name, compared
  ///   without case (kept in lower case);
  /// - `\\.\pipe\x`, `//./pipe/x`, `npipe:////./pipe/x`: the pipe x of this machine, x as for a plain name;
  /// - `/abs/path` and `unix:/abs/path`; `unix-abstract:x`, 1 to 107 bytes, no NUL;
  /// - `dotnet:x`: x as System.IO.Pipes takes it (no slash unless it is rooted, not `anonymous`);
  /// - `\\host\pipe\x`, `ssh://[user@]host/x`.
  /// Errors: invalid_name, name_too_long; the subject quotes the text, escaped, and says which character or
  /// part is wrong.
  [[nodiscard]] static result<endpoint_name> parse(std::string_view text);

  [[nodiscard]] name_kind kind() const noexcept { return kind_; }
  /// The name without prefix and host: `files`, `/run/x.sock`.
  [[nodiscard]] const std::string& leaf() const noexcept { return leaf_; }
  /// Empty for this machine.
  [[nodiscard]] const std::string& host() const noexcept { return host_; }
  /// Empty unless ssh:// named one.
  [[nodiscard]] const std::string& user() const noexcept { return user_; }
  /// As it was written, for messages.
  [[nodiscard]] const std::string& text() const noexcept { return text_; }

 private:
  endpoint_name() = default;

  std::string text_, leaf_, host_, user_;
  name_kind kind_ = name_kind::plain;
};

}  // namespace tp
