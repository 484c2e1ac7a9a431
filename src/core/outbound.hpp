// The sending half of a connection, sans-IO: queued sends become vectors of bytes, accepted bytes become
// finished sends.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

#include "core/block_pool.hpp"
#include "core/rare_vector.hpp"
#include "twinpipe/backend/stream.hpp"
#include "twinpipe/options.hpp"
#include "wire/frame.hpp"

namespace tp::core {

/// A send in the queue. Its payload is the caller's memory, untouched until the send has finished.
struct outgoing {
  enum class kind : std::uint8_t {
    data,
    control,  ///< a frame that keeps its place between the sends: drain
    end,      ///< no data after it
  };

  kind what = kind::data;
  bool interruptible = false;  ///< it may be stopped, so it is cut into pieces
  bool stopped = false;        ///< withdrawn in the middle; finishes with its current piece
  bool complete = false;       ///< finished, and all of it went
  std::span<const std::byte> payload;
  std::size_t sent = 0;         ///< payload bytes the kernel has accepted
  backend::const_buffer alone;  ///< the vector of a write that needs no more
  wire::control_frame frame;    ///< for control
  outgoing* next = nullptr;
  outgoing* previous = nullptr;  ///< while it is in the queue

  [[nodiscard]] bool whole() const noexcept { return sent == payload.size(); }
};

/// What a write consists of.
struct write_block {
  /// A frame, or the payload of an unframed send.
  struct piece {
    outgoing* item;  ///< null: a reply
    std::array<std::byte, sizeof(wire::control_frame::bytes)> head;
    std::size_t payload_offset;
    std::size_t payload_size;
    std::size_t done;
    std::uint8_t head_size;
    [[nodiscard]] std::size_t size() const noexcept { return head_size + payload_size; }
  };
  static constexpr std::size_t pieces_max = 64;
  std::array<piece, pieces_max> pieces;
  std::array<backend::const_buffer, 2 * pieces_max> vectors;
  std::array<std::byte, std::size_t{8} << 10> joined;  ///< copies of small pieces, one behind the other
};

/// First in, first out; each send atomic; as many as fit are joined in one write. The driver writes what
/// gather() gives and reports with account(), any number of bytes of it, so it works over every stream. It
/// holds a block while part of a piece has been written, or between the two calls.
class outbound {
 public:
  outbound(transmission mode, bool framed, block_pool<write_block>& blocks) noexcept
      : block_(blocks), mode_(mode), framed_(framed) {}

  void push(outgoing& item) noexcept;
  /// An answer to the peer; goes out at the next frame boundary, before waiting sends.
  void push_reply(const wire::control_frame& frame) { replies_.in(block_.memory()).push_back(frame); }

  /// Nothing waits and nothing is half written.
  [[nodiscard]] bool idle() const noexcept { return first_ == nullptr && replies_.empty() && !partial_; }
  /// The sends that haven't finished, linked by `next`.
  [[nodiscard]] outgoing* items() const noexcept { return first_; }
  /// Answers that haven't gone, those that a write has hold of included.
  [[nodiscard]] std::size_t replies_waiting() const noexcept;
  /// Is part of it in the last gather(), not yet accounted for?
  [[nodiscard]] bool in_flight(const outgoing& item) const noexcept;
  [[nodiscard]] std::size_t queued_bytes() const noexcept { return queued_bytes_; }
  /// Unframed, the end isn't a byte: true when it is its turn. The driver shuts the stream down and calls
  /// end_done().
  [[nodiscard]] bool end_is_due() const noexcept;
  outgoing* end_done() noexcept;

  /// What gather() would give if the send were pushed, for one that meets an idle queue: it need not stand
  /// there if all of it goes in one write. Empty: it is more than a write. Afterwards sent_alone() or
  /// keep_alone().
  [[nodiscard]] std::span<backend::const_buffer> gather_alone(outgoing& item);
  void sent_alone() noexcept { block_.give_back(); }
  /// It stands in the queue all the same, as after push() and gather().
  void keep_alone(outgoing& item);

  /// The next bytes to write; empty if there are none. Valid until the next call of anything but account().
  [[nodiscard]] std::span<backend::const_buffer> gather();
  /// The kernel took so many bytes of the last gather(). Returns the sends that finished by it, linked by
  /// `next`, in order.
  outgoing* account(std::size_t bytes);
  /// Did bytes of a send go with the last account()? Control frames are no data.
  [[nodiscard]] bool moved_data() const noexcept { return moved_data_; }

  enum class withdrawal : std::uint8_t {
    gone,       ///< out of the queue; item.sent says how much of it went
    finishing,  ///< its current piece must be finished first; account() will return it with `stopped` set
  };
  /// Takes a send back. Not while it is in_flight().
  withdrawal withdraw(outgoing& item);
  /// Empties the queue: all sends, in order.
  outgoing* drop_all() noexcept;

 private:
  using piece = write_block::piece;
  struct gathering;  ///< how far a gather() has come

  [[nodiscard]] std::span<const piece> pieces() const noexcept {
    return block_ ? std::span<const piece>(block_->pieces).first(piece_count_) : std::span<const piece>{};
  }
  [[nodiscard]] bool wants_block() const noexcept;
  void set_control(piece& made, outgoing* item, const wire::control_frame& frame) const noexcept;
  void set_data(piece& made, outgoing& item, std::size_t offset) const noexcept;
  void gather_replies(gathering& to);
  void gather_items(gathering& to);
  void finish_piece(const piece& done, outgoing*& finished_first, outgoing*& finished_last);
  [[nodiscard]] outgoing* account_alone(std::size_t bytes) noexcept;
  void unlink(outgoing& item) noexcept;
  void let_go() noexcept;

  static constexpr std::size_t fragment_size = std::size_t{64} << 10;
  static constexpr std::size_t frame_size_max = std::size_t{1} << 30;  // lengths on the wire have 32 bits
  static constexpr std::size_t gather_bytes = std::size_t{256} << 10;
  static constexpr std::size_t pieces_max = write_block::pieces_max;

  loan<write_block> block_;
  outgoing* last_ = nullptr;
  std::size_t queued_bytes_ = 0;
  rare_vector<wire::control_frame> replies_;
  outgoing* first_ = nullptr;
  std::uint16_t piece_count_ = 0;
  bool partial_ = false;  ///< the first piece is begun and not finished
  bool alone_ = false;    ///< a write has hold of the first item's payload, as it is
  bool moved_data_ = false;
  transmission mode_;
  bool framed_;
};

}  // namespace tp::core
