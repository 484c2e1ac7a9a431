// The classic named-pipe service: each client asks for one file and gets it with that client's own
// permissions. Shared by the real server and client programs and by the simulated run; nothing here knows
// which twin it runs on.
#pragma once

#include <functional>
#include <string>
#include <string_view>

#include "twinpipe/twinpipe.hpp"

namespace file_service {

inline constexpr std::string_view greeting = "I am the one true server!";
inline constexpr std::size_t file_size_max = std::size_t{1} << 20;

/// What a worker tells about a client it has served.
struct served {
  std::string client;
  std::string file;     ///< empty: the client left before it asked
  std::string failure;  ///< empty: it got the file
};

/// Serves one client: greeting, file name, file. A reply starts with '+' and the contents or with '-' and the
/// reason.
tp::task<tp::result<served>> serve(tp::connection client, const tp::directory& files);

/// Accepts and serves, one client after the other, until the endpoint closes.
tp::task<tp::result<void>> work(tp::runtime& rt, const tp::endpoint& endpoint, const tp::directory& files,
                                const std::function<void(const served&)>& report);

/// What a client got.
struct answer {
  bool granted = false;
  std::string text;  ///< the file, or the server's reason
};

/// Connects as a client that lets the server act for it, and checks the greeting.
tp::task<tp::result<tp::connection>> enter(tp::runtime& rt, std::string_view name, tp::duration patience);
tp::task<tp::result<answer>> ask(tp::connection& server, std::string_view file);

/// Options that both sides agree on.
[[nodiscard]] tp::endpoint_options server_options();

}  // namespace file_service
