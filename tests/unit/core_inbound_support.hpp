// Drives the receiving half of a connection as a connection would: bytes in pieces of any size, receives of
// any kind.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "core/inbound.hpp"
#include "core_frames.hpp"

namespace tp::test {

/// A stream's bytes, how they come, and what the receiving half makes of them.
class inbound_rig {
 public:
  inbound_rig(transmission mode, bool framed, std::size_t max_receive, byte_vector stream)
      : half(mode, framed, max_receive, blocks), stream_(std::move(stream)) {}

  /// So many bytes at most in one read; 1 unless set.
  std::function<std::size_t(std::size_t)> appetite = [](std::size_t) { return std::size_t{1}; };
  /// The stream ends behind its bytes; `reset`: by a reset.
  bool ends = true;
  bool reset = false;

  /// Runs until the receive has ended, or nothing more can happen. `stuck`: it waits for bytes that don't
  /// come.
  enum class state { received, failed, idle, stuck, broken };
  state run();
  /// One read that brings so many bytes at most, and what follows from it. False: no read was wanted or
  /// nothing was left.
  bool read_once();
  core::inbound::step advance() { return half.advance(told_); }

  /// A receive into a span of that size; its bytes are in `taken` afterwards.
  state receive_span(std::size_t size);
  state receive_buffer();

  core::block_pool<core::read_block> blocks{*std::pmr::new_delete_resource(), 1};
  core::inbound half;
  std::vector<std::string> controls;  ///< a word for each control frame
  byte_vector taken;                  ///< of the last receive
  std::size_t bytes_read = 0;
  std::size_t direct_bytes = 0;  ///< of them, those that went straight into the caller's memory

  byte_vector span_memory;
  buffer buffer_memory;

 private:
  state finish(bool into_span);
  void note_control();

  byte_vector stream_;
  wire::frame_parser::event told_;
};

/// Everything that a reader gets from a stream of messages: "abc", "(partial)abc", "[aborted]", "[end]",
/// "[error code]".
using receiver = std::function<inbound_rig::state(inbound_rig&)>;
[[nodiscard]] std::vector<std::string> all_messages(inbound_rig& rig, const receiver& receive,
                                                    int most = 10'000);

}  // namespace tp::test
