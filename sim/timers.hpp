// What is due at a time, earliest first, and first set first where times are equal.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

#include "twinpipe/time.hpp"

namespace tp::sim {

/// A heap whose members know their places, so that each can be taken out. A member's place is 0 while it
/// isn't in.
template <class Member>
class timers {
 public:
  [[nodiscard]] bool empty() const noexcept { return heap_.empty(); }
  [[nodiscard]] time_point next() const noexcept { return heap_.empty() ? never : heap_.front().when; }

  void add(time_point when, Member what, std::size_t& place) {
    heap_.push_back({when, ++added_, what, &place});
    up(heap_.size() - 1);
  }
  void remove(std::size_t& place) noexcept {
    if (place == 0) return;
    const std::size_t hole = std::exchange(place, 0) - 1;
    const entry last = heap_.back();
    heap_.pop_back();
    if (hole == heap_.size()) return;
    put(hole, last);
    up(hole);
    down(*last.place - 1);
  }
  /// All of them, in their order.
  template <class Visit>
  void visit(const Visit& visit) const {
    std::vector<entry> sorted(heap_);
    std::ranges::sort(sorted, [](const entry& a, const entry& b) { return a.before(b); });
    for (const entry& each : sorted) visit(each.when, each.what);
  }
  Member take_first() noexcept {
    const entry first = heap_.front();
    remove(*first.place);
    return first.what;
  }

 private:
  struct entry {
    time_point when;
    std::uint64_t number;
    Member what;
    std::size_t* place;
    [[nodiscard]] bool before(const entry& other) const noexcept {
      return when != other.when ? when < other.when : number < other.number;
    }
  };
  void put(std::size_t at, const entry& e) noexcept {
    heap_[at] = e;
    *e.place = at + 1;
  }
  void up(std::size_t at) noexcept {
    const entry moved = heap_[at];
    for (; at > 0 && moved.before(heap_[(at - 1) / 2]); at = (at - 1) / 2) put(at, heap_[(at - 1) / 2]);
    put(at, moved);
  }
  void down(std::size_t at) noexcept {
    const entry moved = heap_[at];
    for (std::size_t child = 0; (child = 2 * at + 1) < heap_.size(); at = child) {
      if (child + 1 < heap_.size() && heap_[child + 1].before(heap_[child])) ++child;
      if (!heap_[child].before(moved)) break;
      put(at, heap_[child]);
    }
    put(at, moved);
  }

  std::vector<entry> heap_;
  std::uint64_t added_ = 0;
};

}  // namespace tp::sim
