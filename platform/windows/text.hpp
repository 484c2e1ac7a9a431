// UTF-8, which twinpipe speaks, and UTF-16, which Windows does.
#pragma once

#include <string>
#include <string_view>

namespace tp::platform {

/// Text that isn't UTF-8 gives an empty string: no name and no path is empty.
[[nodiscard]] std::wstring widen(std::string_view utf8);
[[nodiscard]] std::string narrow(std::wstring_view utf16);

}  // namespace tp::platform
