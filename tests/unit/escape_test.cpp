// escape(): what is shown of text from a peer.
#include "twinpipe/escape.hpp"

#include <array>
#include <catch2/catch.hpp>
#include <cstddef>
#include <string>

namespace tp::test {

TEST_CASE("printable ASCII is shown as it is") {
  CHECK(escape("GET / HTTP/1.1 {~}") == "GET / HTTP/1.1 {~}");
  CHECK(escape("").empty());
}

TEST_CASE("quotes and backslashes are escaped, so that a quoted text ends where it seems to end") {
  CHECK(escape(R"(a"b'c\d)") == R"(a\"b\'c\\d)");
}

TEST_CASE("every byte that is not printable ASCII becomes two hexadecimal digits") {
  for (int value = 0; value < 256; ++value) {
    if (value >= 0x20 && value < 0x7f) continue;
    const std::array<std::byte, 1> one{static_cast<std::byte>(value)};
    constexpr std::string_view digits = "0123456789abcdef";
    const std::string expected{'\\', 'x', digits[static_cast<std::size_t>(value) / 16],
                               digits[static_cast<std::size_t>(value) % 16]};
    CHECK(escape(std::span<const std::byte>(one)) == expected);
  }
}

TEST_CASE("a terminal's escape sequences and line ends don't survive") {
  CHECK(escape("\x1b[2Jroot\r\n") == R"(\x1b[2Jroot\x0d\x0a)");
}

TEST_CASE("at most the limit is shown, counted before escaping, with dots only if there was more") {
  CHECK(escape("abcd", 4) == "abcd");
  CHECK(escape("abcde", 4) == "abcd...");
  CHECK(escape("\n\n\n", 2) == R"(\x0a\x0a...)");
  CHECK(escape("a", 0) == "...");
  CHECK(escape(std::string(257, 'x')) == std::string(256, 'x') + "...");
}

}  // namespace tp::test
