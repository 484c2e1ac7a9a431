// The sending half of a connection, sans-IO.
#include "core/outbound.hpp"

#include <algorithm>
#include <cstring>
#include <utility>

namespace tp::core {

void outbound::push(outgoing& item) noexcept {
  item.next = nullptr;
  item.previous = last_;
  item.sent = 0;
  item.stopped = false;
  item.complete = false;
  (last_ != nullptr ? last_->next : first_) = &item;
  last_ = &item;
  queued_bytes_ += item.payload.size();
}

bool outbound::in_flight(const outgoing& item) const noexcept {
  if (alone_) return &item == first_;
  return std::ranges::any_of(pieces(), [&](const piece& each) { return each.item == &item; });
}

std::size_t outbound::replies_waiting() const noexcept {
  const bool begun = partial_ && piece_count_ == 0 && block_->pieces[0].item == nullptr;
  const auto in_flight =
      std::ranges::count_if(pieces(), [](const piece& each) { return each.item == nullptr; });
  return replies_.size() + static_cast<std::size_t>(in_flight) + (begun ? 1 : 0);
}

bool outbound::end_is_due() const noexcept {
  return !framed_ && !partial_ && first_ != nullptr && first_->what == outgoing::kind::end;
}

outgoing* outbound::end_done() noexcept {
  outgoing* const item = first_;
  unlink(*item);
  item->complete = true;
  return item;
}

void outbound::unlink(outgoing& item) noexcept {
  (item.previous != nullptr ? item.previous->next : first_) = item.next;
  (item.next != nullptr ? item.next->previous : last_) = item.previous;
  item.next = item.previous = nullptr;
  queued_bytes_ -= item.payload.size();
}

// Small pieces are copied, one behind the other: that costs less than a vector of their own.
struct outbound::gathering {
  static constexpr std::size_t small_piece = 256;

  explicit gathering(write_block& into) noexcept : block(into), room(into.joined) {}

  void add(const piece& each) noexcept {
    const std::size_t left = each.size() - each.done;
    std::size_t skip = each.done;
    const auto rest_of = [&skip](std::span<const std::byte> all) {
      const std::size_t cut = std::min(skip, all.size());
      skip -= cut;
      return all.subspan(cut);
    };
    const auto head = rest_of(std::span(each.head).first(each.head_size));
    const auto payload = each.payload_size == 0
                             ? std::span<const std::byte>{}
                             : rest_of(each.item->payload.subspan(each.payload_offset, each.payload_size));
    const bool joins = left <= small_piece && left <= room.size();
    for (const auto part : {head, payload}) {
      if (!part.empty()) joins ? join(part) : point_to(part);
    }
    bytes += left;
  }

  void point_to(std::span<const std::byte> part) noexcept { block.vectors[vectors++] = part; }

  void join(std::span<const std::byte> part) noexcept {
    const std::byte* const place = room.data();
    std::memcpy(room.data(), part.data(), part.size());
    room = room.subspan(part.size());
    if (vectors > 0) {
      auto& last = block.vectors[vectors - 1];
      if (last.data() + last.size() == place && last.data() >= block.joined.data()) {
        last = {last.data(), last.size() + part.size()};
        return;
      }
    }
    point_to({place, part.size()});
  }

  write_block& block;
  std::span<std::byte> room;
  std::size_t vectors = 0;
  std::size_t bytes = 0;
};

void outbound::set_control(piece& made, outgoing* item, const wire::control_frame& frame) const noexcept {
  made.item = item;
  made.head = frame.bytes;
  made.head_size = frame.size;
  made.payload_offset = made.payload_size = made.done = 0;
}

[[gnu::hot]] void outbound::set_data(piece& made, outgoing& item, std::size_t offset) const noexcept {
  made.item = &item;
  made.payload_offset = offset;
  made.payload_size = item.payload.size() - offset;
  made.head_size = 0;
  made.done = 0;
  if (!framed_) return;
  made.payload_size = std::min(made.payload_size, item.interruptible ? fragment_size : frame_size_max);
  const bool more = mode_ == transmission::message && offset + made.payload_size < item.payload.size();
  const auto head = wire::encode(wire::frame_header{static_cast<std::uint32_t>(made.payload_size),
                                                    std::to_underlying(wire::frame_type::data),
                                                    more ? wire::flag_more : std::uint8_t{0}});
  std::memcpy(made.head.data(), head.data(), head.size());
  made.head_size = head.size();
}

bool outbound::wants_block() const noexcept {
  return partial_ || !replies_.empty() || (first_ != nullptr && !end_is_due());
}

// Unframed the payload is all there is to write, and no block is needed.
[[gnu::hot]] std::span<backend::const_buffer> outbound::gather_alone(outgoing& item) {
  if (!framed_) {
    item.alone = item.payload;
    return {&item.alone, 1};
  }
  write_block& block = block_.take();
  set_data(block.pieces[0], item, 0);
  if (block.pieces[0].payload_size < item.payload.size()) {
    block_.give_back();
    return {};
  }
  const piece& all = block.pieces[0];
  if (all.size() <= gathering::small_piece) {  // as gathering would
    std::memcpy(block.joined.data(), all.head.data(), wire::frame_header_size);
    if (!item.payload.empty())
      std::memcpy(block.joined.data() + wire::frame_header_size, item.payload.data(), item.payload.size());
    block.vectors[0] = std::span(block.joined).first(all.size());
    return std::span(block.vectors).first(1);
  }
  gathering made(block);
  made.add(all);
  return std::span(block.vectors).first(made.vectors);
}

void outbound::keep_alone(outgoing& item) {
  push(item);
  piece_count_ = framed_ ? 1 : 0;
  alone_ = !framed_;
}

outgoing* outbound::account_alone(std::size_t bytes) noexcept {
  alone_ = false;
  moved_data_ = bytes > 0;
  outgoing& item = *first_;
  item.sent = bytes;
  if (!item.whole()) return nullptr;
  item.complete = true;
  unlink(item);
  return &item;
}

std::span<backend::const_buffer> outbound::gather() {
  piece_count_ = partial_ ? 1 : 0;
  if (!wants_block()) return {};
  gathering made(block_.take());
  if (partial_) made.add(block_->pieces[0]);
  if (!replies_.empty()) gather_replies(made);
  gather_items(made);
  return std::span(block_->vectors).first(made.vectors);
}

void outbound::gather_replies(gathering& to) {
  auto& replies = replies_.in(block_.memory());
  const std::size_t n = std::min<std::size_t>(replies.size(), pieces_max - piece_count_);
  for (const auto& frame : std::span(replies).first(n)) {
    piece& reply = to.block.pieces[piece_count_++];
    set_control(reply, nullptr, frame);
    to.add(reply);
  }
  replies.erase(replies.begin(), replies.begin() + static_cast<std::ptrdiff_t>(n));
}

void outbound::gather_items(gathering& to) {
  outgoing* item = first_;
  std::size_t offset = item != nullptr ? item->sent : 0;
  const piece& begun = to.block.pieces[0];
  if (partial_ && begun.item != nullptr) {
    // The item under way is the first; go on behind its piece, unless that piece is its last.
    offset = begun.payload_offset + begun.payload_size;
    const bool last = item->what != outgoing::kind::data || offset == item->payload.size();
    if (item->stopped && !last) return;  // ABORT_MESSAGE must be the next frame of data
    if (last) {
      item = item->next;
      offset = 0;
    }
  }
  while (item != nullptr && piece_count_ < pieces_max && to.bytes < gather_bytes) {
    if (item->what == outgoing::kind::end && !framed_) return;
    piece& made = to.block.pieces[piece_count_++];
    if (item->what == outgoing::kind::data) {
      set_data(made, *item, offset);
    } else {
      const bool end = item->what == outgoing::kind::end;
      set_control(made, item, end ? wire::make_control(wire::frame_type::end) : item->frame);
    }
    to.add(made);
    offset = made.payload_offset + made.payload_size;
    if (offset < item->payload.size()) continue;
    item = item->next;
    offset = 0;
  }
}

void outbound::finish_piece(const piece& done, outgoing*& finished_first, outgoing*& finished_last) {
  outgoing* const item = done.item;
  if (item == nullptr) return;
  item->sent = done.payload_offset + done.payload_size;
  item->complete = item->whole();
  if (!item->complete && !item->stopped) return;
  if (!item->complete && mode_ == transmission::message) {
    push_reply(wire::make_control(wire::frame_type::abort_message));
  }
  unlink(*item);
  (finished_last != nullptr ? finished_last->next : finished_first) = item;
  finished_last = item;
}

outgoing* outbound::account(std::size_t bytes) {
  if (alone_) return account_alone(bytes);
  outgoing* finished_first = nullptr;
  outgoing* finished_last = nullptr;
  partial_ = moved_data_ = false;
  std::size_t unsent = 0;  // replies, in front of those that have come meanwhile
  for (piece& each : std::span(block_ ? block_->pieces.data() : nullptr, piece_count_)) {
    const std::size_t left = each.size() - each.done;
    const bool data = each.item != nullptr && each.item->what == outgoing::kind::data;
    moved_data_ = moved_data_ || (data && bytes > 0);
    if (bytes >= left) {
      bytes -= left;
      finish_piece(each, finished_first, finished_last);
      continue;
    }
    if (bytes > 0 || each.done > 0) {
      each.done += bytes;
      bytes = 0;
      block_->pieces[0] = each;
      partial_ = true;
    } else if (each.item == nullptr) {
      wire::control_frame again;
      again.bytes = each.head;
      again.size = each.head_size;
      auto& replies = replies_.in(block_.memory());
      replies.insert(replies.begin() + static_cast<std::ptrdiff_t>(unsent++), again);
    }
  }
  piece_count_ = 0;
  if (!partial_) block_.give_back();
  return finished_first;
}

outbound::withdrawal outbound::withdraw(outgoing& item) {
  const bool under_way = partial_ && block_->pieces[0].item == &item;
  if (under_way && framed_) {
    item.stopped = true;
    return withdrawal::finishing;
  }
  if (under_way) {
    item.sent = block_->pieces[0].payload_offset + block_->pieces[0].done;
    let_go();
  }
  if (framed_ && mode_ == transmission::message && item.sent > 0) {
    push_reply(wire::make_control(wire::frame_type::abort_message));
  }
  unlink(item);
  return withdrawal::gone;
}

void outbound::let_go() noexcept {
  partial_ = alone_ = false;
  piece_count_ = 0;
  block_.give_back();
}

outgoing* outbound::drop_all() noexcept {
  let_go();
  replies_.clear();
  queued_bytes_ = 0;
  last_ = nullptr;
  return std::exchange(first_, nullptr);
}

}  // namespace tp::core
