// A client that is told no.
#pragma once

#include <cstddef>
#include <span>
#include <vector>

#include "async/resident.hpp"
#include "twinpipe/backend/stream.hpp"

namespace tp::detail {

/// Writes the last words, ends the sending direction, reads on so that they aren't lost to a reset (a close
/// with unread data would throw them away on some systems), and closes: after 64 KiB, a second, or the
/// client's end. It keeps itself alive; a runtime has at most 16 at a time, and beyond that a client is just
/// closed.
void refuse_client(runtime_state& runtime, backend::stream_ptr stream, std::vector<std::byte> last_words);

}  // namespace tp::detail
