// A client whose hello isn't complete or not yet answered.
#pragma once

#include <vector>

#include "async/endpoint_state.hpp"
#include "async/resident.hpp"
#include "async/runtime_state.hpp"
#include "twinpipe/backend/stream.hpp"
#include "twinpipe/detail/frame_memory.hpp"
#include "wire/hello.hpp"

namespace tp::detail {

class listener_state;

/// Reads the hello and writes the reply, each within the peer's deadline. What to answer is its listener's
/// business.
class half_open_peer final : public recycled, public resident {
 public:
  half_open_peer(listener_state& listener, backend::stream_ptr stream, wire::hello_reader hello,
                 duration time_left);

  enum class stage : std::uint8_t { reading, complete, replying, parking, refusing, gone };

  /// Reads what has come. Tells the listener when the hello is complete or can't be; maybe inside this call.
  void read();
  void reply(std::vector<std::byte> bytes);
  /// No accept wants it now: once nothing is pending it goes to the endpoint.
  void park();
  /// An accept wants it after all, before it was parked.
  void resume();
  /// Says the last words, once the read under way has ended: a stream has one read at a time.
  void refuse(std::vector<std::byte> last_words);
  /// Takes the stream away, to be refused or to become a connection; the peer is gone then.
  [[nodiscard]] backend::stream_ptr take_stream() noexcept;

  void evict() noexcept override;

  [[nodiscard]] stage current() const noexcept { return stage_; }
  [[nodiscard]] const wire::hello_reader& hello() const noexcept { return hello_; }
  [[nodiscard]] const identity& who() const noexcept { return stream_->peer(); }

 private:
  void read_ended();
  /// False: nothing more to read.
  bool take_read();
  void wrote();
  void go_to_endpoint();

  listener_state& listener_;
  ref<resident> listener_kept_;
  backend::stream_ptr stream_;
  wire::hello_reader hello_;
  time_point deadline_;
  backend::read_op read_op_;
  backend::write_op write_op_;
  std::vector<std::byte> reply_;  ///< or the last words
  backend::const_buffer reply_vector_;
  stage stage_ = stage::reading;
};

}  // namespace tp::detail
