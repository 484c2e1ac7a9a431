// All choices of a run, in their order, in as little memory as can be: a long run takes more of them than
// anything else it keeps, and most are small numbers.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

namespace tp::sim {

/// A byte for a number below 255; else 255 and four more, the lowest first.
class choice_record {
 public:
  choice_record() = default;
  choice_record(const choice_record&) = delete;
  choice_record& operator=(const choice_record&) = delete;

  void add(std::uint32_t chosen) {
    if (chosen < large && next_ != end_)
      *next_++ = static_cast<std::uint8_t>(chosen);
    else
      add_seldom(chosen);
  }
  [[nodiscard]] std::vector<std::uint32_t> all() const {
    std::vector<std::uint32_t> found;
    int missing = 0;  // bytes of a large one
    const auto read = [&](const std::uint8_t* from, const std::uint8_t* to) {
      for (; from != to; ++from) {
        if (missing > 0) {
          found.back() |= std::uint32_t{*from} << (8 * (4 - missing--));
        } else {
          missing = *from == large ? 4 : 0;
          found.push_back(*from == large ? 0 : *from);
        }
      }
    };
    read(first_.data(), more_.empty() ? next_ : first_.data() + first_.size());
    for (const auto& each : more_) read(each->data(), &each == &more_.back() ? next_ : each->data() + size);
    return found;
  }

 private:
  static constexpr std::uint8_t large = 255;
  static constexpr std::size_t size = std::size_t{16} << 10U;

  // Apart, so that what each choice does is short.
  [[gnu::cold, gnu::noinline]] void add_seldom(std::uint32_t chosen) {
    add_byte(std::min(chosen, std::uint32_t{large}));
    for (int i = 0; i < 4 && chosen >= large; ++i) add_byte(chosen >> (8 * i) & 0xffU);
  }
  void add_byte(std::uint32_t byte) {
    if (next_ == end_) extend();
    *next_++ = static_cast<std::uint8_t>(byte);
  }
  void extend() {
    // Without a first value, for all of it is written before it is read.
    more_.push_back(std::make_unique_for_overwrite<std::array<std::uint8_t, size>>());
    next_ = more_.back()->data();
    end_ = next_ + size;
  }

  std::array<std::uint8_t, 512> first_;  ///< enough for a small world
  std::uint8_t* next_ = first_.data();
  std::uint8_t* end_ = first_.data() + first_.size();
  std::vector<std::unique_ptr<std::array<std::uint8_t, size>>> more_;
};

}  // namespace tp::sim
