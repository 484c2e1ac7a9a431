// What a server and a client may ask for, with the same words on both sides.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

#include "twinpipe/identity.hpp"
#include "twinpipe/name.hpp"
#include "twinpipe/time.hpp"

namespace tp {

/// `byte`: a stream without boundaries. `message`: each send arrives as one message, on every system.
enum class transmission : std::uint8_t { byte, message };

/// `native`: a handshake, then bytes or frames; all that twinpipe promises. `raw`: exactly a plain socket or
/// pipe, for peers that don't know twinpipe (Node, Python, .NET, socat); byte mode only.
enum class profile : std::uint8_t { native, raw };

/// Which way data flows, seen from the side that says it: `in` receives only, `out` sends only. A server's
/// `in` needs a client's `out`; anything else is refused in the handshake (direction_mismatch).
enum class direction : std::uint8_t { duplex, in, out };

/// What a client lets the server do in its name. On Windows the kernel enforces it; on Unix the kernel can't,
/// and a server with the privilege to switch users needs nobody's leave: there the level guards against a
/// server's mistakes, not against a hostile server.
enum class impersonation_level : std::uint8_t { anonymous, identification, impersonation, delegation };

/// Which server a client is content with, by the kernel's word, before its first byte.
enum class server_trust : std::uint8_t {
  own_user_or_superuser,  ///< this user's, or root's / SYSTEM's
  own_user,
  superuser,
  anyone,
};

/// How a runtime waits when it has nothing to do. `sleep`: in the system, at once. `adaptive`: while traffic
/// has been coming within microseconds it first looks for up to 50 microseconds whether something comes,
/// which spares a conversation across two cores the wake-ups; an idle runtime, or one to which something
/// comes now and then, looks in vain once at most and sleeps from then on. Only a hint: a simulated runtime,
/// and one on Windows, sleeps.
enum class wait_strategy : std::uint8_t { sleep, adaptive };

/// How a runtime is made.
struct runtime_options {
  wait_strategy wait = wait_strategy::sleep;
};

/// The largest message that options may ask for.
inline constexpr std::size_t max_message_limit = std::size_t{64} << 20;

/// Any number of instances.
inline constexpr std::size_t unlimited = static_cast<std::size_t>(-1);

/// What an authorize callback is asked.
struct client_request {
  const identity& who;        ///< by the kernel
  impersonation_level level;  ///< as the client says
  transmission mode;
  std::string_view program;  ///< label from the client's hello, unescaped; advisory
};

/// What an authorize callback answers. A refused client gets `reason` if there is one (UTF-8, 512 bytes at
/// most), and else learns nothing but access_denied.
struct admission {
  bool granted = false;
  std::string reason;

  [[nodiscard]] static admission grant() { return {true, {}}; }
  [[nodiscard]] static admission deny(std::string reason = {}) { return {false, std::move(reason)}; }
};

/// Who may connect. Compiled to the mode and group of the socket plus a check of each peer on Unix, to a DACL
/// on Windows.
class access_policy {
 public:
  enum class audience : std::uint8_t { same_user, group, users, everyone_local };

  /// The default: the server's own user and root, whom every other policy admits too.
  [[nodiscard]] static access_policy same_user() { return {}; }
  /// Members of a Unix group, by number. Unix only: on Windows bind answers not_supported.
  [[nodiscard]] static access_policy group(std::uint32_t gid);
  /// These users, by number. Unix only, likewise.
  [[nodiscard]] static access_policy users(std::vector<std::uint32_t> uids);
  [[nodiscard]] static access_policy everyone_local();

  /// Asked for each client after its hello and before its reply, on the thread whose accept admits it. It
  /// must not block. With several accepting threads it is called from several at once. If it throws, the
  /// client is refused without a reason, and one line of the process's log says what was thrown. It may close
  /// the endpoint or destroy the listener that asks; its answer is dropped then, and the next accept, if
  /// there is one, asks again.
  access_policy& authorize(std::function<admission(const client_request&)> callback) &;
  access_policy&& authorize(std::function<admission(const client_request&)> callback) &&;

  [[nodiscard]] audience who() const noexcept { return audience_; }
  [[nodiscard]] const std::vector<std::uint32_t>& ids() const noexcept { return ids_; }

  /// What the kernel's word alone decides: false for an identity that is unknown, unless everyone may
  /// connect.
  [[nodiscard]] bool admits(const identity& peer, const identity& self) const noexcept;
  /// The callback's answer, or a grant where there is none.
  [[nodiscard]] admission ask(const client_request& request) const;

 private:
  std::vector<std::uint32_t> ids_;
  std::function<admission(const client_request&)> callback_;
  audience audience_ = audience::same_user;
};

/// How a server binds a name. Not awaited, so it may hold what it likes.
struct endpoint_options {
  transmission mode = transmission::byte;
  tp::profile profile = tp::profile::native;
  tp::direction direction = tp::direction::duplex;
  /// Connections at one time, 1 to unlimited, over all threads. The next client waits until one is closed.
  std::size_t max_instances = unlimited;
  /// Largest message received and sent, bytes; at most max_message_limit.
  std::size_t max_message = std::size_t{1} << 20;
  /// Bytes that may wait in one connection's send queue; a send that finds it empty is admitted whatever its
  /// size, any other beyond this gets queue_full.
  std::size_t max_queued_bytes = std::size_t{4} << 20;
  /// A client whose hello isn't complete by then is refused.
  duration handshake_timeout = std::chrono::seconds(5);
  /// Clients that are connected and not yet admitted, over all threads.
  std::size_t max_half_open = 64;
  /// Kernel backlog of the listening socket (listen(2)).
  int backlog = 128;
  name_scope scope = name_scope::user;
  /// Unix: the directory for plain names, absolute; empty: the first of the places listed in
  /// docs/platform.md.
  std::string runtime_directory = {};
  /// Byte mode with frames even where the system needs none: gives an application-level drain.
  bool framed = false;
  access_policy access = {};
};

/// How a client connects. Part of an awaited call, so trivially destructible; the views are copied by
/// connect().
struct connect_options {
  transmission mode = transmission::byte;
  tp::profile profile = tp::profile::native;
  tp::direction direction = tp::direction::duplex;
  impersonation_level level = impersonation_level::identification;
  server_trust expected_server = server_trust::own_user_or_superuser;
  /// No server yet: keep looking until the deadline, instead of not_found at once.
  bool wait_for_server = false;
  /// Byte mode with frames, as in endpoint_options: one side that asks for them is enough.
  bool framed = false;
  /// Largest message received and sent, bytes; at most max_message_limit. A send is bounded by what the
  /// server accepts, too.
  std::size_t max_message = std::size_t{1} << 20;
  /// Bytes that may wait in the connection's send queue, as in endpoint_options.
  std::size_t max_queued_bytes = std::size_t{4} << 20;
  /// Unix: where plain names are looked for, absolute, in place of all the places that docs/platform.md
  /// lists; empty: in those.
  std::string_view runtime_directory = {};
  /// Label of this program for the server's log; at most 64 bytes are sent.
  std::string_view program = {};
};

static_assert(std::is_trivially_destructible_v<connect_options>);

}  // namespace tp
