// Drives the receiving half of a connection, for its tests.
#include "core_inbound_support.hpp"

#include <algorithm>
#include <catch2/catch.hpp>

namespace tp::test {

using step = core::inbound::step;
using kind = wire::frame_parser::kind;

void inbound_rig::note_control() {
  const auto word = [&event = told_]() -> std::string {
    switch (event.what) {
      case kind::drain:
        return "drain " + std::to_string(event.token);
      case kind::drained:
        return "drained " + std::to_string(event.token);
      case kind::ping:
        return "ping " + std::to_string(event.token);
      case kind::pong:
        return "pong " + std::to_string(event.token);
      case kind::close:
        return "close " + std::to_string(event.close_code);
      case kind::end:
        return "end";
      default:
        return "aborted";
    }
  };
  controls.push_back(word());
}

bool inbound_rig::read_once() {
  const auto plan = half.plan();
  const std::size_t room = plan.into.size() + plan.spill.size();
  if (room == 0) FAIL("a read with no room");
  if (bytes_read == stream_.size()) {
    if (!ends || half.stream_ended()) return false;
    half.ended(reset);
    return true;
  }
  const std::size_t most = std::min(room, stream_.size() - bytes_read);
  const std::size_t n = std::clamp<std::size_t>(appetite(most), 1, most);
  const auto bytes = std::span(stream_).subspan(bytes_read, n);
  const std::size_t first = std::min(n, plan.into.size());
  std::ranges::copy(bytes.first(first), plan.into.begin());
  std::ranges::copy(bytes.subspan(first), plan.spill.begin());
  if (half.uses_target()) direct_bytes += first;
  half.filled(n);
  bytes_read += n;
  return true;
}

inbound_rig::state inbound_rig::run() {
  for (;;) {
    switch (advance()) {
      case step::received:
        return state::received;
      case step::failed:
        return state::failed;
      case step::broken:
        return state::broken;
      case step::idle:
        return state::idle;
      case step::control:
        note_control();
        break;
      case step::needs_bytes:
        if (!read_once()) return state::stuck;
    }
  }
}

inbound_rig::state inbound_rig::finish(bool into_span) {
  const state made = run();
  taken.clear();
  if (made != state::received) return made;
  const std::size_t n = half.outcome().bytes;
  const std::span<const std::byte> memory =
      into_span ? std::span<const std::byte>(span_memory) : buffer_memory.bytes();
  if (n > memory.size() || (!into_span && n != memory.size())) FAIL("a count that isn't true");
  append(taken, memory.first(n));
  return made;
}

inbound_rig::state inbound_rig::receive_span(std::size_t size) {
  span_memory.assign(size, std::byte{0xee});
  half.begin(std::span(span_memory));
  return finish(true);
}

inbound_rig::state inbound_rig::receive_buffer() {
  half.begin(buffer_memory);
  return finish(false);
}

std::vector<std::string> all_messages(inbound_rig& rig, const receiver& receive, int most) {
  std::vector<std::string> made;
  while (most-- > 0) {
    const auto state = receive(rig);
    if (state == inbound_rig::state::received && rig.half.outcome().end) {
      made.emplace_back(rig.half.outcome().discarded ? "[end, discarded]" : "[end]");
      return made;
    }
    if (state == inbound_rig::state::received) {
      const std::string text(reinterpret_cast<const char*>(rig.taken.data()), rig.taken.size());
      made.push_back((rig.half.outcome().complete ? "" : "(partial)") + text);
    } else if (state == inbound_rig::state::failed && rig.half.failure() == errc::message_aborted) {
      made.emplace_back("[aborted]");
    } else {
      const bool failed = state == inbound_rig::state::failed || state == inbound_rig::state::broken;
      made.emplace_back("[").append(failed ? to_string(rig.half.failure()) : "stuck").append("]");
      return made;
    }
  }
  return made;
}

}  // namespace tp::test
