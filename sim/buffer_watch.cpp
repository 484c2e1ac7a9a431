// Patterns and sums of memory in use.
#include "buffer_watch.hpp"

#include <algorithm>
#include <array>
#include <bit>
#include <cstring>

namespace tp::sim {
namespace {

constexpr std::size_t looked_at = 32;
constexpr std::byte pattern{0xa5};

template <class Span>
std::array<Span, 2> ends_of(Span whole) noexcept {
  const std::size_t front = std::min(whole.size(), looked_at);
  return {whole.first(front), whole.last(std::min(whole.size() - front, looked_at))};
}

void fill(std::span<std::byte> memory) noexcept {
  for (const auto part : ends_of(memory)) std::ranges::fill(part, pattern);
}

bool is_filled(std::span<std::byte> memory) noexcept {
  for (const auto part : ends_of(memory)) {
    if (!std::ranges::all_of(part, [](std::byte b) { return b == pattern; })) return false;
  }
  return true;
}

std::uint64_t sum_of(std::span<const backend::const_buffer> buffers) noexcept {
  std::uint64_t sum = buffers.size();
  for (const auto& each : buffers) {
    for (const auto part : ends_of(each)) {
      for (const std::byte b : part) sum = std::rotl(sum, 7) ^ std::to_integer<std::uint64_t>(b);
    }
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
