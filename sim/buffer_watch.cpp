// Patterns and sums of memory in use. All of it is looked at, so by what processors do fast: memset, memcmp,
// and one multiplication for eight bytes.
#include "buffer_watch.hpp"

#include <algorithm>
#include <cstring>

namespace tp::sim {
namespace {

constexpr int pattern = 0xa5;
constexpr std::size_t word_size = sizeof(std::uint64_t);

void fill(std::span<std::byte> memory) noexcept {
  if (!memory.empty()) std::memset(memory.data(), pattern, memory.size());
}

/// The first byte is right, and each is like the one before.
bool is_filled(std::span<const std::byte> memory) noexcept {
  if (memory.empty()) return true;
  return memory.front() == std::byte{pattern} &&
         std::memcmp(memory.data(), memory.data() + 1, memory.size() - 1) == 0;
}

/// The numbers with which words count, from the last one on: odd ones, so that no change of one word is
/// without effect.
struct weights {
  explicit weights(std::size_t first) noexcept : next(1 + first * step) {}
  std::uint64_t take() noexcept {
    const std::uint64_t taken = next;
    next += step;
    return taken;
  }
  static constexpr std::uint64_t step = 0x9e3779b97f4a7c16;
  std::uint64_t next;
};

/// Of some bytes of a buffer that has so many more behind them. Each byte counts by its distance from the
/// buffer's end, whatever the others are: the sum of two parts is that of the whole.
std::uint64_t sum_of(std::span<const std::byte> part, std::size_t behind) noexcept {
  weights each(behind / word_size);
  std::uint64_t sum = 0;
  const auto add_some = [&](std::size_t n, std::size_t from_end) {  // of one word
    std::uint64_t word = 0;
    std::memcpy(reinterpret_cast<std::byte*>(&word) + (word_size - from_end - n),
                part.data() + part.size() - n, n);
    sum += word * each.take();
    part = part.first(part.size() - n);
  };
  if (const std::size_t odd = behind % word_size; odd != 0)
    add_some(std::min(part.size(), word_size - odd), odd);
  for (; part.size() >= word_size; part = part.first(part.size() - word_size)) {
    std::uint64_t word = 0;
    std::memcpy(&word, part.data() + part.size() - word_size, word_size);
    sum += word * each.take();
  }
  if (!part.empty()) add_some(part.size(), 0);
  return sum;
}

/// Of the first so many bytes of all of them.
std::uint64_t sum_of_first(std::size_t n, std::span<const backend::const_buffer> buffers) noexcept {
  std::uint64_t sum = 0;
  for (const auto& each : buffers) {
    const std::size_t part = std::min(n, each.size());
    if (part > 0) sum += sum_of(each.first(part), each.size() - part);
    n -= part;
  }
  return sum;
}

}  // namespace

void watch_buffers(backend::op& o, kind what) noexcept {
  if (what == kind::read) {
    const auto& read = static_cast<backend::read_op&>(o);
    fill(read.into);
    fill(read.spill);
  } else if (what == kind::write) {
    o.twin.sum = sum_of_first(SIZE_MAX, static_cast<backend::write_op&>(o).buffers);
  }
  o.twin.watched = true;
}

void unwatch_first(std::size_t n, backend::write_op& o) noexcept {
  o.twin.sum -= sum_of_first(n, o.buffers);
}

bool buffers_untouched(const backend::op& o, kind what) noexcept {
  if (what == kind::read) {
    const auto& read = static_cast<const backend::read_op&>(o);
    return is_filled(read.into) && is_filled(read.spill);
  }
  return what != kind::write ||
         o.twin.sum == sum_of_first(SIZE_MAX, static_cast<const backend::write_op&>(o).buffers);
}

}  // namespace tp::sim
