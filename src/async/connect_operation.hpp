// A client's way from a name to a connection.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "async/established.hpp"
#include "async/resident.hpp"
#include "async/runtime_state.hpp"
#include "twinpipe/backend/names.hpp"
#include "twinpipe/connection.hpp"
#include "twinpipe/detail/frame_memory.hpp"
#include "twinpipe/detail/operation.hpp"
#include "wire/hello.hpp"

namespace tp::detail {

/// Tries the name, again and again where that makes sense, checks who the server is, and shakes hands. One
/// object per call.
class connect_operation final : public recycled, public typed_operation<result<connection>>, public resident {
 public:
  connect_operation(runtime_state& runtime, std::string_view name, const connect_options& options);

  bool start() override;
  void abandon() noexcept override;
  [[nodiscard]] result<connection> take() override;
  /// Like take(), for a driver of another kind; to be told before the start.
  [[nodiscard]] result<established> take_established();
  void leave_detached() noexcept { attachment_ = backend::attachment::half_open; }
  /// It is allowed inside run_as_client, and doesn't try the name again there.
  void allow_as_client() noexcept { one_attempt_ = typed_operation::runtime_.impersonating(); }
  void evict() noexcept override;

 protected:
  void on_stop() noexcept override { give_up(errc::cancelled); }

 private:
  void try_name();
  void tried();
  void retry();
  void connected();
  void shake_hands();
  void wrote_hello();
  void read_reply();
  void got_reply();
  [[nodiscard]] bool take_reply();
  void decide();
  void lost_server();
  void deadline_passed();
  void give_up(errc reason);
  [[nodiscard]] std::string where_it_looked() const;
  void agree(const core::terms& terms);
  void finish(std::optional<error> failure);
  void fail(errc code, int system_cause = 0, const std::string& detail = {});
  [[nodiscard]] backend::system& system() const noexcept { return typed_operation::runtime_.system(); }

  std::string text_;
  std::optional<endpoint_name> name_;
  std::optional<error> bad_name_;
  connect_options options_;
  std::string runtime_directory_;
  std::string program_;
  shared_text last_detail_;  ///< of the last attempt: where it looked
  circumstance last_circumstance_ = circumstance::none;

  backend::connect_op connect_op_;
  backend::op retry_op_;
  backend::op timer_op_;
  backend::write_op write_op_;
  backend::read_op read_op_;
  backend::stream_ptr stream_;
  std::vector<std::byte> hello_bytes_;
  backend::const_buffer hello_vector_;
  wire::client_hello hello_;
  wire::hello_reader reply_;
  std::optional<error> failure_;
  core::terms terms_;
  backend::attachment attachment_ = backend::attachment::established;
  duration backoff_;
  bool was_held_ = false;  ///< a server, or its full backlog, was there: the deadline means busy
  bool heard_ = false;     ///< the server has said something
  bool one_attempt_ = false;
  bool finished_ = false;
  bool starting_ = false;
};

}  // namespace tp::detail
