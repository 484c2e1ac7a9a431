// Joining and consuming buffers.
#include "windows/gather.hpp"

#include <algorithm>

namespace tp::platform {
namespace {

constexpr std::size_t joined_at_most = 65536;
constexpr std::size_t written_at_most = std::size_t{1} << 30;  // lengths of Windows have 32 bits

}  // namespace

std::span<const std::byte> next_piece(std::span<const backend::const_buffer> buffers,
                                      std::vector<std::byte>& staging) {
  const auto first = std::ranges::find_if(buffers, [](const auto& b) { return !b.empty(); });
  if (first == buffers.end()) return {};
  const auto rest = std::span(first, buffers.end());
  if (rest.size() == 1 || rest[0].size() + rest[1].size() > joined_at_most) {
    return rest[0].first(std::min(rest[0].size(), written_at_most));
  }
  staging.clear();
  for (const backend::const_buffer& b : rest) {
    if (staging.size() + b.size() > joined_at_most) break;
    staging.insert(staging.end(), b.begin(), b.end());
  }
  return staging;
}

void consume(std::span<backend::const_buffer>& buffers, std::size_t n) noexcept {
  while (n > 0) {
    backend::const_buffer& first = buffers.front();
    const std::size_t taken = std::min(n, first.size());
    first = first.subspan(taken);
    n -= taken;
    if (first.empty()) buffers = buffers.subspan(1);
  }
}

}  // namespace tp::platform
