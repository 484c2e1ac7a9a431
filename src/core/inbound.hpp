// The receiving half of a connection, sans-IO: bytes of the stream become messages and bytes in the caller's
// memory, control frames become events.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string_view>
#include <tuple>

#include "core/block_pool.hpp"
#include "twinpipe/buffer.hpp"
#include "twinpipe/options.hpp"
#include "twinpipe/received.hpp"
#include "wire/frame.hpp"

namespace tp::core {

/// Where bytes go that can't go straight to the application yet.
using read_block = std::array<std::byte, std::size_t{16} << 10>;

/// A driver loops: advance(); on needs_bytes it reads as plan() says and reports filled() or ended(); on
/// control it answers the event. It holds at most one block of bytes that nobody asked for yet, so a peer
/// that floods meets back-pressure; and none while there are no such bytes and no read is planned.
class inbound {
 public:
  inbound(transmission mode, bool framed, std::size_t max_receive, block_pool<read_block>& blocks) noexcept
      : framed_(framed), parser_(mode, max_receive), block_(blocks) {}

  /// One receive at a time. The memory is in use until advance() says received or failed, or cancel().
  void begin(std::span<std::byte> into) noexcept {
    span_ = into;
    buffer_ = nullptr;
    got_ = 0;
    receiving_ = true;
  }
  void begin(buffer& into);
  [[nodiscard]] bool receiving() const noexcept { return receiving_; }
  /// The receive that has just begun can't go on without a read.
  [[nodiscard]] bool has_nothing() const noexcept {
    const bool over = failure_ != errc::none || at_end() || aborted_;
    const bool wants_bytes = buffer_ != nullptr || !span_.empty();
    return wants_bytes && !over && begin_ == end_ && !in_data_ && part_ == nullptr;
  }
  // Of a stream without frames: begin() and plan() in one, for a receive that has_nothing(); and what
  // filled(), advance() and outcome() come to when its read has brought some bytes.
  [[nodiscard]] std::span<std::byte> begin_read(std::span<std::byte> into) noexcept {
    begin(into);
    planned_target_ = into.size();
    return into;
  }
  [[nodiscard]] received end_read(std::size_t bytes) noexcept {
    planned_target_ = 0;
    receiving_ = false;
    if (buffer_ != nullptr) buffer_->commit(bytes);
    return {.bytes = bytes, .complete = true, .end = false, .discarded = false};
  }

  enum class step : std::uint8_t {
    idle,         ///< nothing to do: data waits and nobody receives, or the stream has ended
    needs_bytes,  ///< read as plan() says; also while nobody receives, for control frames
    received,     ///< the receive is done; outcome()
    failed,       ///< the receive failed with failure()
    control,      ///< a control frame for the driver
    broken,       ///< the peer broke the protocol; failure() is for every later receive too
  };
  /// `told`: filled in for control, and for broken.
  step advance(wire::frame_parser::event& told);

  [[nodiscard]] received outcome() const noexcept {
    const bool end = outcome_ == ending::of_stream;
    return {
        .bytes = got_, .complete = outcome_ != ending::before, .end = end, .discarded = end && discarded_};
  }
  [[nodiscard]] errc failure() const noexcept { return failure_; }

  /// Takes the receive back. True: it holds a part, in a span, and succeeds with outcome(). False: nothing
  /// was delivered; what a buffer held of a message is kept for the next receive.
  [[nodiscard]] bool cancel();

  struct read_plan {
    std::span<std::byte> into;
    std::span<std::byte> spill;
  };
  /// Where the next bytes should go: straight into the caller's memory where that is possible. Call after
  /// needs_bytes. Must not be followed by begin() or cancel() until the read has ended, unless uses_target()
  /// is false. The memory is in use until filled() or ended().
  [[nodiscard]] read_plan plan();
  [[nodiscard]] bool uses_target() const noexcept { return planned_target_ > 0; }
  /// The last read brought less than there was room for, or there was none: now the stream has no more. Who
  /// waits first until it is readable, and plans then, holds no block meanwhile.
  [[nodiscard]] bool came_short() const noexcept { return came_short_; }

  /// A planned read has brought so many bytes; none if it was cancelled or failed.
  void filled(std::size_t bytes) noexcept;
  /// The stream ended; `reset`: the peer closed without reading all we sent.
  void ended(bool reset) noexcept;
  void fail(errc code) noexcept;

  /// The peer said that it closes; of what follows only the stream's end counts.
  [[nodiscard]] bool closed_by_peer() const noexcept { return closed_; }
  /// It said so without having left data unread.
  [[nodiscard]] bool closed_normally() const noexcept { return closed_normally_; }
  /// Nothing can be read any more: the end has come, or an error that every receive gets.
  [[nodiscard]] bool over() const noexcept {
    return ended_ || (failure_ != errc::none && failure_ != errc::message_aborted);
  }
  /// Is there something of a message, or of bytes, that has been taken off the stream and that the
  /// application hasn't got?
  [[nodiscard]] bool holds_undelivered() const noexcept {
    return (part_ != nullptr && !aborted_) || (receiving_ && got_ > 0);
  }
  /// The peer said or showed that no more data comes.
  [[nodiscard]] bool at_end() const noexcept { return ended_ || peer_finished_; }
  [[nodiscard]] bool stream_ended() const noexcept { return ended_; }
  [[nodiscard]] bool was_reset() const noexcept { return discarded_; }
  /// After message_too_large: how many bytes the peer's message would have had at least.
  [[nodiscard]] std::uint64_t refused_size() const noexcept { return parser_.refused_size(); }
  [[nodiscard]] std::string_view broken_rule() const noexcept { return parser_.broken_rule(); }
  /// Forgets all data, from now on only control frames count: this side is closing.
  void discard_data() noexcept;
  /// Has it forgotten any? What still completes a receive that is being taken back isn't forgotten.
  [[nodiscard]] bool dropped() const noexcept { return dropped_; }

 private:
  [[nodiscard]] std::span<std::byte> room() noexcept;
  void committed(std::size_t bytes) noexcept;
  [[nodiscard]] bool target_full() noexcept;
  [[nodiscard]] bool next_is_data() noexcept;
  void take_part();
  void move_payload();
  [[nodiscard]] bool bytes_only() const noexcept { return parser_.mode() == transmission::byte; }
  [[nodiscard]] step finish(bool complete) noexcept;
  [[nodiscard]] step finish_end() noexcept;
  [[nodiscard]] step on_event(const wire::frame_parser::event& event);
  [[nodiscard]] step out_of_input();
  step advance_unframed();
  step advance_payload();
  step advance_framed(wire::frame_parser::event& told);
  [[nodiscard]] std::byte* input() noexcept { return block_ ? block_->data() : few_.data(); }
  void move_to_block();
  void shrink_input() noexcept;

  /// From here on a frame's payload is read without what follows it but the next header, and behind one such
  /// frame that header alone: more would have to be copied.
  static constexpr std::size_t large_payload = std::tuple_size_v<read_block>;

  // What a read without frames needs stands in front.
  std::span<std::byte> span_;
  buffer* buffer_ = nullptr;
  std::size_t got_ = 0;  ///< bytes of this receive
  std::size_t planned_target_ = 0;
  std::size_t planned_ = 0;
  /// How the last receive ended that did: before the end of a message, with it or at that of the stream.
  enum class ending : std::uint8_t { before, whole, of_stream };
  ending outcome_ = ending::before;
  errc failure_ = errc::none;
  bool framed_;
  bool receiving_ = false;
  bool peer_finished_ = false;
  bool ended_ = false;
  bool closed_ = false;
  bool closed_normally_ = false;
  bool discarded_ = false;
  bool aborted_ = false;         ///< the message whose part the application has was given up by its sender
  bool frame_is_large_ = false;  ///< the last
  bool in_data_ = false;         ///< a data frame has begun, and nobody has looked at its end yet
  bool discarding_ = false;
  bool dropped_ = false;
  bool reading_ = false;  ///< a plan is being read
  bool came_short_ = true;

  wire::frame_parser parser_;
  loan<read_block> block_;
  std::array<std::byte, wire::frame_header_size> few_{};  ///< the input while it is so short
  std::uint32_t begin_ = 0;
  std::uint32_t end_ = 0;
  /// Of a message whose receive into a buffer was cancelled: what no later receive has taken yet.
  struct message_part {
    buffer bytes;
    std::size_t taken = 0;
  };
  std::unique_ptr<message_part> part_;
};

}  // namespace tp::core
