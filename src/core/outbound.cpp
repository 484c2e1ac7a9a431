// The sending half of a connection, sans-IO.
#include "core/outbound.hpp"

#include <algorithm>
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
  return std::ranges::any_of(std::span(pieces_).first(piece_count_),
                             [&](const piece& each) { return each.item == &item; });
}

std::size_t outbound::replies_waiting() const noexcept {
  const auto held =
      std::span(pieces_).first(partial_ ? std::max<std::size_t>(piece_count_, 1) : piece_count_);
  const auto in_flight = std::ranges::count_if(held, [](const piece& each) { return each.item == nullptr; });
  return replies_.size() + static_cast<std::size_t>(in_flight);
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

void outbound::add_vectors(piece& each) {
  std::size_t skip = each.done;
  const auto add = [&](std::span<const std::byte> bytes) {
    const std::size_t cut = std::min(skip, bytes.size());
    skip -= cut;
    if (cut < bytes.size()) vectors_[vector_count_++] = bytes.subspan(cut);
  };
  add(std::span(each.head).first(each.head_size));
  if (each.item != nullptr) add(each.item->payload.subspan(each.payload_offset, each.payload_size));
  planned_bytes_ += each.size() - each.done;
}

outbound::piece outbound::next_data_piece(outgoing& item, std::size_t offset) const noexcept {
  piece made;
  made.item = &item;
  made.payload_offset = offset;
  made.payload_size = item.payload.size() - offset;
  if (!framed_) return made;
  made.payload_size = std::min(made.payload_size, item.interruptible ? fragment_size : frame_size_max);
  const bool more = mode_ == transmission::message && offset + made.payload_size < item.payload.size();
  const auto head = wire::encode(wire::frame_header{static_cast<std::uint32_t>(made.payload_size),
                                                    std::to_underlying(wire::frame_type::data),
                                                    more ? wire::flag_more : std::uint8_t{0}});
  std::ranges::copy(head, made.head.begin());
  made.head_size = head.size();
  return made;
}

namespace {

// Returns how many bytes of head the control frame takes.
std::size_t put_control(const wire::control_frame& frame, std::span<std::byte> head) {
  std::ranges::copy(std::span(frame.bytes).first(frame.size), head.begin());
  return frame.size;
}

}  // namespace

std::span<backend::const_buffer> outbound::gather() {
  vector_count_ = 0;
  planned_bytes_ = 0;
  piece_count_ = partial_ ? 1 : 0;
  if (partial_) add_vectors(pieces_[0]);
  while (!replies_.empty() && piece_count_ < pieces_max) {
    piece& reply = pieces_[piece_count_++] = piece{};
    reply.head_size = put_control(replies_.front(), reply.head);
    replies_.erase(replies_.begin());
    add_vectors(reply);
  }
  gather_items();
  return std::span(vectors_).first(vector_count_);
}

void outbound::gather_items() {
  outgoing* item = first_;
  std::size_t offset = item != nullptr ? item->sent : 0;
  if (partial_ && pieces_[0].item != nullptr) {
    // The item under way is the first; go on behind its piece, unless that piece is its last.
    offset = pieces_[0].payload_offset + pieces_[0].payload_size;
    const bool last = item->what != outgoing::kind::data || offset == item->payload.size();
    if (item->stopped && !last) return;  // ABORT_MESSAGE must be the next frame of data
    if (last) {
      item = item->next;
      offset = 0;
    }
  }
  while (item != nullptr && piece_count_ < pieces_max && planned_bytes_ < gather_bytes) {
    if (item->what == outgoing::kind::end && !framed_) return;
    piece& made = pieces_[piece_count_++];
    if (item->what == outgoing::kind::data) {
      made = next_data_piece(*item, offset);
    } else {
      made = piece{};
      made.item = item;
      const auto frame =
          item->what == outgoing::kind::end ? wire::make_control(wire::frame_type::end) : item->frame;
      made.head_size = put_control(frame, made.head);
    }
    add_vectors(made);
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
  outgoing* finished_first = nullptr;
  outgoing* finished_last = nullptr;
  partial_ = moved_data_ = false;
  std::vector<wire::control_frame> unsent;
  for (std::size_t i = 0; i < piece_count_; ++i) {
    piece& each = pieces_[i];
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
      pieces_[0] = each;
      partial_ = true;
    } else if (each.item == nullptr) {
      wire::control_frame again;
      std::copy_n(each.head.begin(), each.head_size, again.bytes.begin());
      again.size = static_cast<std::uint8_t>(each.head_size);
      unsent.push_back(again);
    }
  }
  replies_.insert(replies_.begin(), unsent.begin(), unsent.end());
  piece_count_ = 0;
  return finished_first;
}

outbound::withdrawal outbound::withdraw(outgoing& item) {
  const bool under_way = partial_ && pieces_[0].item == &item;
  if (under_way && framed_) {
    item.stopped = true;
    return withdrawal::finishing;
  }
  if (under_way) {
    item.sent = pieces_[0].payload_offset + pieces_[0].done;
    partial_ = false;
  }
  if (framed_ && mode_ == transmission::message && item.sent > 0) {
    push_reply(wire::make_control(wire::frame_type::abort_message));
  }
  unlink(item);
  return withdrawal::gone;
}

outgoing* outbound::drop_all() noexcept {
  partial_ = false;
  replies_.clear();
  queued_bytes_ = 0;
  last_ = nullptr;
  return std::exchange(first_, nullptr);
}

}  // namespace tp::core
