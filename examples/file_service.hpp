// The classic named-pipe service: each client asks for one file and gets it with that client's own
// permissions. Shared by the server and the client, each of which has two forms, coroutines and threads that
// wait; nothing here knows which twin it runs on.
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

[[nodiscard]] tp::endpoint_options server_options();
/// Of a client that lets the server act for it.
[[nodiscard]] tp::connect_options client_options();

/// The reply to a client: '+' and the contents, or '-' and the reason.
[[nodiscard]] std::string reply_with(const tp::result<std::string>& text, served& how);

/// What a client got.
struct answer {
  bool granted = false;
  std::string text;  ///< the file, or the server's reason
};
[[nodiscard]] answer answer_in(const tp::buffer& reply);

// As coroutines, file_service_coroutines.cpp.

/// Serves clients until the endpoint closes, as many at a time as the endpoint has instances.
tp::task<tp::result<void>> work(tp::runtime& rt, const tp::endpoint& endpoint, const tp::directory& files,
                                observer& tell);
/// Connects, and checks the greeting.
tp::task<tp::result<tp::connection>> enter(tp::runtime& rt, std::string_view name, tp::duration patience);
tp::task<tp::result<answer>> ask(tp::connection& server, std::string_view file);

// In threads that wait, file_service_blocking.cpp.

/// Serves clients until the endpoint closes, one at a time.
tp::result<void> work(tp::process& p, const tp::endpoint& endpoint, const tp::directory& files,
                      observer& tell);
tp::result<tp::blocking::connection> enter(tp::process& p, std::string_view name, tp::duration patience);
tp::result<answer> ask(tp::blocking::connection& server, std::string_view file);

}  // namespace file_service
