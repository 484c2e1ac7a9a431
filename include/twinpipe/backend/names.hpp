// Names of endpoints below the seam: binding them, and the request to connect to one.
#pragma once

#include <memory>
#include <string>

#include "twinpipe/backend/stream.hpp"
#include "twinpipe/name.hpp"
#include "twinpipe/options.hpp"

namespace tp::backend {

struct bind_request {
  endpoint_name name;
  name_scope scope = name_scope::user;
  std::string runtime_directory;
  /// Whom the name's own permissions have to let in; the core asks it again about each client, and only the
  /// core calls back.
  access_policy access = {};
  int backlog = 128;
  std::size_t max_instances =
      unlimited;     ///< the core keeps to it; Windows' kernel and a simulated one count, too
  bool raw = false;  ///< the kernel's instance limit counts for raw only
};

/// A name taken: the lock and the listening socket, or the pool of pipe instances. Belongs to the process,
/// thread-safe; acceptors are opened on it by system::open.
class bound_name {
 public:
  virtual ~bound_name() = default;  // withdraws
  /// Where clients find it, in the system's words: the path, `\\.\pipe\...`.
  [[nodiscard]] virtual const std::string& location() const noexcept = 0;
  /// What this system can't promise of the access policy, one sentence each.
  [[nodiscard]] virtual const std::string& unenforced() const noexcept = 0;
  /// Gives the name back and refuses the backlog; acceptors that are still open end `closed`. Twice is once.
  /// On Unix the name is free at once. Windows keeps it as long as a pipe made from it is open: while
  /// connections live on, clients find it busy instead of not_found, and a bind name_in_use.
  virtual void withdraw() noexcept = 0;
};

/// One attempt to reach a name. not_found: nobody there or not listening (all places); access_denied,
/// untrusted_location: as found at the first place that isn't merely empty. busy: a server is there and can't
/// take one more at this moment. That passes, so it is no answer for a user: the core tries again until the
/// deadline. The backlog is full, or on Windows another client has just come and the next instance isn't made
/// yet, or only connections of a withdrawn name are left. not_supported: a kind of name that this system
/// doesn't have, or of another host that nothing leads to. no_resources, io_error.
struct connect_op : op {
  using op::op;
  const endpoint_name* name = nullptr;  ///< in use until the completion
  std::string_view runtime_directory;   ///< likewise
  /// What the server may do in our name, where the kernel is told when the connection is made (Windows,
  /// SECURITY_SQOS_PRESENT). Other twins ignore it: there the hello alone carries it.
  impersonation_level level = impersonation_level::identification;
  server_trust expected = server_trust::own_user_or_superuser;  ///< whose socket a twin may lead to
  detached_ptr stream;
  shared_text detail;                       ///< on failure: the paths that were tried and why each failed
  circumstance about = circumstance::none;  ///< of the failure
};

class names {
 public:
  virtual ~names() = default;
  /// Errors: name_in_use (subject: who holds it), invalid_name, name_too_long, access_denied,
  /// untrusted_location, unreachable_policy, not_found (its directory doesn't exist), not_supported,
  /// no_resources, io_error.
  [[nodiscard]] virtual result<std::shared_ptr<bound_name>> bind(const bind_request& request) = 0;
  /// What the user has said about the places of plain names and this twin doesn't heed, with the reason; a
  /// phrase for a log, empty if there is nothing.
  [[nodiscard]] virtual std::string unheeded() const { return {}; }
};

}  // namespace tp::backend
