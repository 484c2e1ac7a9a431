// The classic named-pipe service: each client asks for one file and gets it with that client's own
// permissions. Shared by the server and the client; nothing here knows which twin it runs on.
#pragma once

#include <string>
#include <string_view>

#include "twinpipe/twinpipe.hpp"

namespace file_service {

inline constexpr std::string_view greeting = "I am the one true server!";
inline constexpr std::size_t file_size_max = std::size_t{1} << 20;

/// How it went with a client.
struct served {
  std::string client;
  std::string file;     ///< as the client wrote it; empty: it left before it asked
  std::string failure;  ///< empty: it got the file
};

/// Told about clients by the thread that serves them; other threads tell at the same time.
class observer {
 public:
  virtual ~observer() = default;
  virtual void came(const std::string& client) = 0;
  /// The client still has its instance.
  virtual void leaves(const served& how) = 0;
  /// For the moment no client can be taken.
  virtual void hindered(const tp::error& why) = 0;
};

/// Serves clients until the endpoint closes, as many at a time as the endpoint has instances.
tp::task<tp::result<void>> work(tp::runtime& rt, const tp::endpoint& endpoint, const tp::directory& files,
                                observer& tell);

/// What a client got.
struct answer {
  bool granted = false;
  std::string text;  ///< the file, or the server's reason
};

/// Connects as a client that lets the server act for it, and checks the greeting.
tp::task<tp::result<tp::connection>> enter(tp::runtime& rt, std::string_view name, tp::duration patience);
tp::task<tp::result<answer>> ask(tp::connection& server, std::string_view file);

[[nodiscard]] tp::endpoint_options server_options();

}  // namespace file_service
