// The buffers of a write as single pieces: Windows has no vectored write for pipes.
#pragma once

#include <cstddef>
#include <span>
#include <vector>

#include "twinpipe/backend/stream.hpp"

namespace tp::platform {

/// What to write next: small buffers joined in `staging`, up to 64 KiB of them, a large one as it stands.
/// Empty at the end. (libuv would join any number, in memory of its own and under an overlapped of its own,
/// which we could not cancel.)
[[nodiscard]] std::span<const std::byte> next_piece(std::span<const backend::const_buffer> buffers,
                                                    std::vector<std::byte>& staging);

/// Takes n bytes off the front.
void consume(std::span<backend::const_buffer>& buffers, std::size_t n) noexcept;

}  // namespace tp::platform
