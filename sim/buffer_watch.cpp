// Patterns and sums of memory in use. All of it is looked at, so by what processors do fast: memset, memcmp,
// and one multiplication for eight bytes.
#include "buffer_watch.hpp"

#include <algorithm>
#include <cstring>
#include <utility>

namespace tp::sim {
namespace {

constexpr std::uint8_t pattern = 0xa5;
constexpr std::uint64_t pattern_word = 0xa5a5a5a5a5a5a5a5;
constexpr std::size_t at_end = 512;  ///< of large memory that is only looked at there
constexpr std::size_t word_size = sizeof(std::uint64_t);

/// What a processor takes at once, on all that have such.
using block [[gnu::vector_size(16)]] = std::uint64_t;

inline block differs(const std::byte* at) noexcept {
  block part;
  std::memcpy(&part, at, sizeof part);
  return part ^ block { pattern_word, pattern_word };
}

bool is_filled(std::span<const std::byte> memory) noexcept;

/// Large memory is like its own first part, and then like what is so far before: memory that far apart is as
/// well aligned for a processor as a single piece.
[[gnu::noinline]] bool is_large_filled(std::span<const std::byte> memory) noexcept {
  constexpr std::size_t first = 64;
  return is_filled(memory.first(first)) &&
         std::memcmp(memory.data(), memory.data() + first, memory.size() - first) == 0;
}

inline bool is_filled(std::span<const std::byte> memory) noexcept {
  constexpr std::size_t large = 128;
  const std::size_t size = memory.size();
  if (size > large) return is_large_filled(memory);
  if (size < sizeof(block))
    return std::ranges::all_of(memory, [](std::byte each) { return each == std::byte{pattern}; });
  const std::byte* const last = memory.data() + size - sizeof(block);
  block wrong = differs(last);
  for (const std::byte* at = memory.data(); at < last; at += sizeof(block)) wrong |= differs(at);
  return (wrong[0] | wrong[1]) == 0;
}

/// Calls `visit` with all of a read's memory, or with its ends.
template <class Visit>
[[gnu::noinline]] void visit_parts(const backend::read_op& o, const Visit& visit) noexcept {
  for (const std::span<std::byte> each : {o.into, o.spill}) {
    if (each.empty()) continue;
    if (o.twin.sum == std::to_underlying(buffer_part::all) || each.size() <= 2 * at_end) {
      visit(each);
    } else {
      visit(each.first(at_end));
      visit(each.last(at_end));
    }
  }
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

void watch_read(backend::read_op& o, buffer_part how_much) noexcept {
  if (o.into.empty() && o.spill.empty()) return;
  o.twin.phase |= phases::is_watched;
  if (o.spill.empty() && (how_much == buffer_part::all || o.into.size() <= 2 * at_end)) {
    o.twin.sum = std::to_underlying(buffer_part::all);
    std::memset(o.into.data(), pattern, o.into.size());
    return;
  }
  o.twin.sum = std::to_underlying(how_much);
  visit_parts(o, [](std::span<std::byte> part) { std::memset(part.data(), pattern, part.size()); });
}

bool is_untouched(const backend::read_op& o) noexcept {
  if (o.twin.sum == std::to_underlying(buffer_part::all) && o.spill.empty()) return is_filled(o.into);
  bool untouched = true;
  visit_parts(o, [&](std::span<std::byte> part) { untouched = untouched && is_filled(part); });
  return untouched;
}

void watch_write(backend::write_op& o) noexcept {
  o.twin.phase |= phases::is_watched;
  o.twin.sum = sum_of_first(SIZE_MAX, o.buffers);
}

void unwatch_first(std::size_t n, backend::write_op& o) noexcept {
  o.twin.sum -= sum_of_first(n, o.buffers);
}

bool is_untouched(const backend::write_op& o) noexcept {
  return o.twin.sum == sum_of_first(SIZE_MAX, o.buffers);
}

}  // namespace tp::sim
