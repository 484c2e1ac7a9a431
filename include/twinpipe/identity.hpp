// Who a process is, in the kernel's words: of oneself, and of the peer of a connection.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

namespace tp {

/// Whether a fact about a peer may decide what it is allowed to do.
enum class trust : std::uint8_t {
  unknown,   ///< the system does not tell
  advisory,  ///< good for a log; a peer could have arranged it (process ids are reused, hosts are claimed)
  authoritative,  ///< the kernel vouches for it
};

template <class T>
struct fact {
  T value{};
  trust level = trust::unknown;

  [[nodiscard]] bool known() const noexcept { return level != trust::unknown; }
  [[nodiscard]] bool may_authorise() const noexcept { return level == trust::authoritative; }
  [[nodiscard]] friend bool operator==(const fact&, const fact&) = default;
};

/// The peer process itself, not its number: the number can be reused, this can't. On Linux a pidfd.
class process_handle {
 public:
  virtual ~process_handle() = default;
  /// Has it ended? Never waits, from any thread. In a simulated world others may go on meanwhile, as at any
  /// call of a system.
  [[nodiscard]] virtual bool exited() const noexcept = 0;
};

/// What a twin needs besides the facts to act as this peer; only its impersonator knows what is in it. On
/// Windows the access token that a client gave with its connection; Unix and the simulator need none.
class peer_token {
 public:
  virtual ~peer_token() = default;
};

/// Taken once, at accept and at connect (on Windows some clients are known only once their hello comes); it
/// doesn't change afterwards, whatever the peer does with its own identity. On Unix the client's is that of
/// its connect(), the server's that of its listen() (unix(7), SO_PEERCRED).
struct identity {
  fact<std::uint32_t> uid;  ///< Unix; unknown for a user that this user namespace does not map
  fact<std::uint32_t> gid;  ///< Unix
  fact<std::vector<std::uint32_t>> groups;        ///< Unix: supplementary groups
  fact<std::string> sid;                          ///< Windows: the user's security identifier
  fact<std::uint32_t> pid;                        ///< never authoritative
  fact<std::string> host;                         ///< of a peer on another machine
  std::shared_ptr<const process_handle> process;  ///< null where the kernel has none (capability exit_handle)
  std::shared_ptr<const peer_token> token;        ///< null where the facts say all, or the peer gave none

  /// Has the system told whose it is, by uid or SID?
  [[nodiscard]] bool user_known() const noexcept { return uid.known() || sid.known(); }

  /// "uid 1001, gid 1001, pid 4711", for logs and messages.
  [[nodiscard]] std::string to_string() const;

  /// Same user, by what may authorise only; false if either is unknown.
  [[nodiscard]] bool same_user(const identity& other) const noexcept;

  /// Root on Unix, SYSTEM on Windows.
  [[nodiscard]] bool is_superuser() const noexcept;

  /// Member of the group, primary or supplementary.
  [[nodiscard]] bool in_group(std::uint32_t group) const noexcept;
};

}  // namespace tp
