// A queue of sends with its payloads and a stream that takes what it likes: for the tests of the sending
// half.
#pragma once

#include <algorithm>
#include <deque>
#include <functional>
#include <vector>

#include "core/outbound.hpp"
#include "core_frames.hpp"

namespace tp::test {

using core::outgoing;

/// How many of so many bytes the stream takes.
using appetite = std::function<std::size_t(std::size_t)>;

/// A queue of sends, its payloads, and what has come out of it.
struct send_queue {
  send_queue(transmission m, bool f) : out(m, f, blocks), mode(m), framed(f) {}

  outgoing& make(std::size_t size, bool interruptible = false) {
    payloads.push_back(pattern(size, payloads.size() + 1));
    outgoing& item = items.emplace_back();
    item.payload = payloads.back();
    item.interruptible = interruptible;
    return item;
  }
  outgoing& send(std::size_t size, bool interruptible = false) {
    outgoing& item = make(size, interruptible);
    out.push(item);
    return item;
  }
  /// One that meets an idle queue, and one write of it. False: it is more than a write, and was pushed.
  bool send_alone(outgoing& item, const appetite& takes) {
    const byte_vector all = joined(out.gather_alone(item));
    if (all.empty()) {
      out.push(item);
      return false;
    }
    const std::size_t n = takes(all.size());
    append(written, std::span(all).first(n));
    if (n == all.size()) {
      out.sent_alone();
    } else {
      out.keep_alone(item);
      collect(out.account(n));
    }
    return true;
  }
  outgoing& control(outgoing::kind what, const wire::control_frame& frame = {}) {
    outgoing& item = items.emplace_back();
    item.what = what;
    item.frame = frame;
    out.push(item);
    return item;
  }

  /// One write, of which so many bytes are taken. False: nothing to write.
  bool step(const appetite& takes) {
    const byte_vector all = joined(out.gather());
    if (all.empty()) return false;
    const std::size_t n = takes(all.size());
    append(written, std::span(all).first(n));
    collect(out.account(n));
    return true;
  }
  void pump(const appetite& takes) {
    for (;;) {
      while (step(takes)) {
      }
      if (!out.end_is_due()) return;
      ends_at.push_back(written.size());
      collect(out.end_done());
    }
  }
  /// Exactly so many bytes more, in writes of at most `most`.
  void pump_bytes(std::size_t bytes, std::size_t most = SIZE_MAX) {
    const std::size_t target = written.size() + bytes;
    while (written.size() < target) {
      const auto takes = [&](std::size_t n) { return std::min({n, most, target - written.size()}); };
      if (!step(takes)) return;
    }
  }
  [[nodiscard]] static byte_vector joined(std::span<const backend::const_buffer> vector) {
    byte_vector all;
    for (const auto part : vector) append(all, part);
    return all;
  }
  void collect(outgoing* first) {
    for (; first != nullptr; first = first->next) finished.push_back(first);
  }

  core::block_pool<core::write_block> blocks{*std::pmr::new_delete_resource(), 1};
  core::outbound out;
  transmission mode;
  bool framed;
  std::deque<byte_vector> payloads;
  std::deque<outgoing> items;
  std::vector<outgoing*> finished;
  byte_vector written;
  std::vector<std::size_t> ends_at;
};

inline appetite everything() {
  return [](std::size_t n) { return n; };
}
inline appetite at_most(std::size_t most) {
  return [most](std::size_t n) { return std::min(n, most); };
}
/// Any part, now and then none at all.
inline appetite random_appetite(std::uint64_t seed) {
  return [random = generator(seed)](std::size_t n) mutable {
    const std::size_t most = random.below(3) == 0 ? std::min<std::size_t>(n, 20) : n;
    return random.below(most + 1);
  };
}

}  // namespace tp::test
