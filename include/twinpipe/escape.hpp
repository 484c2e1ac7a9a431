// Text from a peer, made safe to show.
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <string_view>

namespace tp {

/// For what others have chosen: names of files, messages, reasons. Without it their bytes could steer the
/// operator's terminal or forge lines of a log. Printable ASCII stays; quotes and backslashes are escaped,
/// every other byte becomes \xNN; at most `limit` bytes of the input are shown, with an ellipsis if there
/// were more.
[[nodiscard]] std::string escape(std::string_view text, std::size_t limit = 256);
[[nodiscard]] std::string escape(std::span<const std::byte> bytes, std::size_t limit = 256);

/// The same in single quotes. To be used instead of "'" + escape(text) + "'", of which g++ 12 says when it
/// optimises that it writes out of bounds (GCC bug 105651).
[[nodiscard]] std::string in_quotes(std::string_view text, std::size_t limit = 256);

}  // namespace tp
