// Patterns and sums of memory in use. By words: it is done twice for every operation that waits.
#include "buffer_watch.hpp"

#include <bit>
#include <cstring>

namespace tp::sim {
namespace {

constexpr std::size_t looked_at = 32;  // at both ends
constexpr unsigned char pattern = 0xa5;
constexpr std::uint64_t pattern_word = 0xa5a5a5a5a5a5a5a5;

/// Calls `visit` with each word that is looked at. A last one that isn't whole has bytes of `fill` behind it.
template <class Visit>
void visit_words(std::span<const std::byte> memory, const Visit& visit, std::uint64_t fill) noexcept {
  const auto visit_all = [&](const std::byte* at, std::size_t size) {
    std::uint64_t word = fill;
    for (; size >= sizeof word; size -= sizeof word, at += sizeof word) {
      std::memcpy(&word, at, sizeof word);
      visit(word);
    }
    word = fill;
    std::memcpy(&word, at, size);
    if (size > 0) visit(word);
  };
  if (memory.size() < 2 * looked_at) return visit_all(memory.data(), memory.size());
  visit_all(memory.data(), looked_at);
  visit_all(memory.data() + memory.size() - looked_at, looked_at);
}

void fill(std::span<std::byte> memory) noexcept {
  if (memory.empty()) return;
  if (memory.size() < 2 * looked_at) {
    std::memset(memory.data(), pattern, memory.size());
    return;
  }
  std::memset(memory.data(), pattern, looked_at);
  std::memset(memory.data() + memory.size() - looked_at, pattern, looked_at);
}

bool is_filled(std::span<const std::byte> memory) noexcept {
  std::uint64_t wrong = 0;
  if (!memory.empty())
    visit_words(memory, [&](std::uint64_t word) { wrong |= word ^ pattern_word; }, pattern_word);
  return wrong == 0;
}

std::uint64_t sum_of(std::span<const backend::const_buffer> buffers) noexcept {
  std::uint64_t sum = buffers.size();
  for (const auto& each : buffers) {
    if (!each.empty())
      visit_words(each, [&](std::uint64_t w) { sum = (std::rotl(sum, 5) ^ w) * 0x9e3779b97f4a7c15; }, 0);
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
    o.twin.sum = sum_of(static_cast<backend::write_op&>(o).buffers);
  }
}

bool buffers_untouched(const backend::op& o, kind what) noexcept {
  if (what == kind::read) {
    const auto& read = static_cast<const backend::read_op&>(o);
    return is_filled(read.into) && is_filled(read.spill);
  }
  return what != kind::write || o.twin.sum == sum_of(static_cast<const backend::write_op&>(o).buffers);
}

}  // namespace tp::sim
