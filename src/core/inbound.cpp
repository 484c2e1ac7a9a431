// The receiving half of a connection, sans-IO.
#include "core/inbound.hpp"

#include <algorithm>
#include <cstring>

namespace tp::core {

using kind = wire::frame_parser::kind;

void inbound::begin(buffer& into) {
  into.clear();
  begin(std::span<std::byte>{});
  buffer_ = &into;
}

bool inbound::cancel() {
  receiving_ = false;
  const bool kept = got_ > 0 && buffer_ != nullptr;
  if (kept) {
    if (part_ == nullptr) part_ = std::make_unique<message_part>();
    part_->bytes.append(buffer_->bytes());
    buffer_->clear();
  }
  if (discarding_) discard_data();
  if (got_ == 0 || kept) return false;
  outcome_ = bytes_only() ? ending::whole : ending::before;
  return true;
}

// Where the next payload bytes belong. A buffer grows with what has come, not with what was announced.
[[gnu::hot]] std::span<std::byte> inbound::room() noexcept {
  if (buffer_ == nullptr) return span_.subspan(got_);
  if (buffer_->spare().empty()) buffer_->reserve(std::max(sizeof(read_block), 2 * buffer_->size()));
  return buffer_->spare();
}

[[gnu::hot]] void inbound::committed(std::size_t bytes) noexcept {
  got_ += bytes;
  if (buffer_ != nullptr) buffer_->commit(bytes);
}

[[gnu::hot]] bool inbound::target_full() noexcept {
  return buffer_ == nullptr && got_ == span_.size();
}

[[gnu::hot]] bool inbound::next_is_data() noexcept {
  constexpr std::size_t type_offset = 4;
  return end_ - begin_ > type_offset &&
         input()[begin_ + type_offset] == std::byte{static_cast<std::uint8_t>(wire::frame_type::data)};
}

[[gnu::hot]] inbound::step inbound::finish(bool complete) noexcept {
  receiving_ = false;
  outcome_ = complete ? ending::whole : ending::before;
  return step::received;
}

inbound::step inbound::finish_end() noexcept {
  receiving_ = false;
  got_ = 0;
  outcome_ = ending::of_stream;
  return step::received;
}

// What an earlier receive into a buffer had got of this message before it was cancelled.
void inbound::take_part() {
  auto& [bytes, taken] = *part_;
  while (taken < bytes.size() && !target_full()) {
    const auto left = bytes.bytes().subspan(taken);
    const auto into = room();
    const std::size_t n = std::min(left.size(), into.size());
    std::memcpy(into.data(), left.data(), n);
    taken += n;
    committed(n);
  }
  if (taken == bytes.size()) part_.reset();
}

// A side that is closing forgets data, but not what still belongs to a receive.
[[gnu::hot]] void inbound::move_payload() {
  while (begin_ < end_ && parser_.payload_left() > 0) {
    std::size_t n = std::min<std::size_t>(end_ - begin_, parser_.payload_left());
    if (receiving_) {
      const auto into = room();
      n = std::min(n, into.size());
      if (n == 0) return;
      std::memcpy(into.data(), input() + begin_, n);
      committed(n);
    } else {
      dropped_ = true;
    }
    begin_ += static_cast<std::uint32_t>(n);
    parser_.take(n);
  }
}

[[gnu::hot]] inbound::step inbound::out_of_input() {
  if (receiving_ && bytes_only() && got_ > 0) return finish(true);
  const bool in_a_frame = begin_ != end_ || parser_.payload_left() > 0;
  const bool in_a_message = !bytes_only() && parser_.inside_message();
  if ((ended_ || closed_) && (in_a_frame || in_a_message)) {
    failure_ = errc::connection_lost;
    receiving_ = false;
    return step::failed;
  }
  if (receiving_ && at_end()) return finish_end();
  return ended_ ? step::idle : step::needs_bytes;
}

inbound::step inbound::advance_unframed() {
  const bool wants_nothing = buffer_ == nullptr && span_.empty();
  if (receiving_ && (got_ > 0 || wants_nothing)) return finish(true);
  if (failure_ != errc::none) {
    receiving_ = false;
    return step::failed;
  }
  if (receiving_ && ended_) return finish_end();
  return receiving_ ? step::needs_bytes : step::idle;
}

inbound::step inbound::on_event(const wire::frame_parser::event& event) {
  switch (event.what) {
    case kind::end:
      peer_finished_ = true;
      return step::control;
    case kind::close:
      peer_finished_ = closed_ = true;
      closed_normally_ = event.close_code == wire::close_normal;
      discarded_ = discarded_ || event.close_code == wire::close_unread;
      if (event.close_code == wire::close_protocol_error) failure_ = errc::protocol_error;
      return step::control;
    case kind::message_aborted:
      aborted_ = true;
      return step::control;
    case kind::violation:
      failure_ = event.code;
      receiving_ = false;
      return step::broken;
    default:
      return step::control;
  }
}

// Payload of the current data frame is due. received, needs_bytes or idle end the round; control means "go
// on".
[[gnu::hot]] inbound::step inbound::advance_payload() {
  if (!receiving_ && !discarding_) return step::idle;
  move_payload();
  if (parser_.payload_left() > 0) {
    if (receiving_ && target_full()) return finish(bytes_only());
    return out_of_input();
  }
  in_data_ = false;
  if (!receiving_) return step::control;
  if (!bytes_only() && parser_.final_fragment()) return finish(true);
  if (target_full()) return finish(bytes_only());
  return step::control;
}

[[gnu::hot]] inbound::step inbound::advance(wire::frame_parser::event& told) {
  if (!framed_) return advance_unframed();
  const step made = advance_framed(told);
  if (made != step::control) shrink_input();  // the driver goes on at once
  return made;
}

[[gnu::hot]] inbound::step inbound::advance_framed(wire::frame_parser::event& told) {
  for (;;) {
    if (receiving_ && aborted_) {
      aborted_ = false;
      receiving_ = false;
      if (buffer_ != nullptr) buffer_->clear();
      part_.reset();
      failure_ = errc::message_aborted;
      return step::failed;
    }
    if (receiving_ && part_ != nullptr) {
      take_part();
      const bool more_is_here = part_ == nullptr && in_data_;
      if (target_full() && !more_is_here) return finish(bytes_only());
    }
    if (failure_ != errc::none && failure_ != errc::message_aborted) {
      receiving_ = false;
      return step::failed;
    }
    if (closed_) {
      begin_ = end_;  // nothing that follows a CLOSE is looked at, only how the stream ends
      return out_of_input();
    }
    if (in_data_) {
      if (const step made = advance_payload(); made != step::control) return made;
      continue;
    }
    if (next_is_data() && !receiving_ && !discarding_) return step::idle;
    told = parser_.next(std::span(input() + begin_, end_ - begin_));
    begin_ += told.consumed;
    if (told.what == kind::needs_more) return out_of_input();
    if (told.what == kind::ignored) continue;
    if (told.what != kind::data) return on_event(told);
    in_data_ = true;
    frame_is_large_ = parser_.payload_left() >= large_payload;
    dropped_ = dropped_ || !receiving_;
  }
}

// The block goes back as soon as what is left fits beside it.
[[gnu::hot]] void inbound::shrink_input() noexcept {
  if (reading_ || end_ - begin_ > few_.size() || !block_) return;
  std::memcpy(few_.data(), block_->data() + begin_, end_ - begin_);
  end_ -= begin_;
  begin_ = 0;
  block_.give_back();
}

[[gnu::hot]] void inbound::move_to_block() {
  const std::size_t left = end_ - begin_;
  if (block_) {
    if (begin_ == end_ || end_ == block_->size())
      std::memmove(block_->data(), block_->data() + begin_, left);
    else
      return;
  } else {
    std::memcpy(block_.take().data(), few_.data() + begin_, left);
  }
  begin_ = 0;
  end_ = static_cast<std::uint32_t>(left);
}

[[gnu::hot]] inbound::read_plan inbound::plan() {
  planned_target_ = 0;
  reading_ = true;
  if (!framed_) {
    const auto into = receiving_ ? room() : std::span<std::byte>{};
    planned_ = planned_target_ = into.size();
    return {into, {}};
  }
  std::span<std::byte> direct;
  if (receiving_ && !discarding_ && parser_.payload_left() > 0 && begin_ == end_) {
    const auto into = room();
    direct = into.first(std::min(into.size(), parser_.payload_left()));
  }
  std::span<std::byte> rest;
  const bool rest_is_large = direct.size() >= large_payload && direct.size() == parser_.payload_left();
  const bool next_may_be = receiving_ && frame_is_large_ && parser_.payload_left() == 0;
  if (rest_is_large || (next_may_be && begin_ == end_)) {
    begin_ = end_ = 0;
    block_.give_back();
    rest = few_;
  } else {
    move_to_block();
    rest = std::span(*block_).subspan(end_);
  }
  planned_target_ = direct.size();
  planned_ = direct.size() + rest.size();
  return direct.empty() ? read_plan{rest, {}} : read_plan{direct, rest};
}

[[gnu::hot]] void inbound::filled(std::size_t bytes) noexcept {
  const std::size_t direct = std::min(bytes, planned_target_);
  planned_target_ = 0;
  reading_ = false;
  came_short_ = bytes < planned_;
  if (direct > 0) {
    committed(direct);
    if (framed_) parser_.take(direct);
  }
  end_ += static_cast<std::uint32_t>(bytes - direct);
}

void inbound::discard_data() noexcept {
  discarding_ = true;
  if (!receiving_) dropped_ = dropped_ || in_data_ || part_ != nullptr;
}

void inbound::ended(bool reset) noexcept {
  planned_target_ = 0;
  reading_ = false;
  ended_ = true;
  discarded_ = discarded_ || reset;
}

void inbound::fail(errc code) noexcept {
  if (failure_ == errc::none || failure_ == errc::message_aborted) failure_ = code;
}

}  // namespace tp::core
