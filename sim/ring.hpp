// A queue from which any member can be taken next.
#pragma once

#include <bit>
#include <cstddef>
#include <memory_resource>
#include <utility>
#include <vector>

namespace tp::sim {

/// First in, first out as long as position 0 is taken. Taking another lets the first take its place.
template <class Member>
class ring {
 public:
  [[nodiscard]] std::size_t size() const noexcept { return size_; }
  [[nodiscard]] bool empty() const noexcept { return size_ == 0; }
  [[nodiscard]] Member& operator[](std::size_t i) noexcept { return all_[(first_ + i) & (all_.size() - 1)]; }
  [[nodiscard]] const Member& operator[](std::size_t i) const noexcept {
    return all_[(first_ + i) & (all_.size() - 1)];
  }
  void push(Member what) {
    if (size_ == all_.size()) grow();
    all_[(first_ + size_++) & (all_.size() - 1)] = what;
  }
  Member take(std::size_t i = 0) noexcept {
    if (i != 0) std::swap((*this)[i], (*this)[0]);
    const Member taken = (*this)[0];
    first_ = (first_ + 1) & (all_.size() - 1);
    --size_;
    return taken;
  }
  /// The order of the others stays.
  void remove(Member what) noexcept {
    std::size_t kept = 0;
    for (std::size_t i = 0; i < size_; ++i) {
      if ((*this)[i] != what) (*this)[kept++] = (*this)[i];
    }
    size_ = kept;
  }

 private:
  void grow() {
    std::vector<Member> larger(all_.empty() ? 8 : 2 * all_.size());
    for (std::size_t i = 0; i < size_; ++i) larger[i] = (*this)[i];
    all_ = std::move(larger);
    first_ = 0;
  }

  std::vector<Member> all_;  ///< a power of two of them
  std::size_t first_ = 0;
  std::size_t size_ = 0;
};

}  // namespace tp::sim
