// A client on the twin of paper, and servers that answer what a test lets them answer.
#pragma once

#include <optional>

#include "async/connect_operation.hpp"
#include "core_rig.hpp"

namespace tp::test {

/// What one attempt to connect comes to: a stream, or an error.
struct attempt {
  played_stream* server = nullptr;
  errc code = errc::none;
  when at = when::now;
};

class client_rig : public core_rig {
 public:
  client_rig();
  ~client_rig() override;

  std::deque<attempt> attempts;  ///< when they are used up: not_found
  int tried = 0;
  std::optional<impersonation_level> asked_level;  ///< of the last attempt
  std::vector<time_point> tried_at;
  errc attach_fails = errc::none;
  backend::connect_op* connecting = nullptr;

  /// A server that answers this to every hello.
  played_stream& server(byte_vector says = {});
  void connect_to(std::string_view name, awaited<result<connection>>& into,
                  const connect_options& options = {}) {
    go(connecting_to(name, options), into);
  }
  [[nodiscard]] awaitable<result<connection>> connecting_to(std::string_view name,
                                                            const connect_options& options = {}) {
    return awaitable<result<connection>>(*new detail::connect_operation(*runtime, name, options));
  }
  [[nodiscard]] static byte_vector acceptance(std::uint32_t granted = 0, std::uint32_t max_receive = 1 << 20);
  /// "Another reply follows."
  [[nodiscard]] static byte_vector wait();
  [[nodiscard]] static byte_vector answer_with(wire::reply_status status, std::string_view reason = {});

  mock_names names;  ///< nobody binds here

 private:
  backend::start on_connect(backend::connect_op& op);
  std::vector<std::unique_ptr<trompeloeil::expectation>> expectations_;
};

using connected = awaited<result<connection>>;

}  // namespace tp::test
