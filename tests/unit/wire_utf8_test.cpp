// UTF-8: what is refused at which byte, and what is sent of a text that isn't.
#include "wire/utf8.hpp"

#include <catch2/catch.hpp>

namespace tp::test {

namespace {

/// The offset of the first byte that is refused; the size if none is.
std::size_t refused_at(std::string_view text) {
  wire::utf8_checker checker;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (!checker.feed(static_cast<unsigned char>(text[i]))) return i;
  }
  return text.size();
}

/// The encoding, without regard to whether the number is a character.
std::string encoded(unsigned code) {
  const auto tail = [](unsigned bits) { return static_cast<char>(0x80 | (bits & 0x3f)); };
  if (code < 0x80) return {static_cast<char>(code)};
  if (code < 0x800) return {static_cast<char>(0xc0 | code >> 6), tail(code)};
  if (code < 0x10000) return {static_cast<char>(0xe0 | code >> 12), tail(code >> 6), tail(code)};
  return {static_cast<char>(0xf0 | code >> 18), tail(code >> 12), tail(code >> 6), tail(code)};
}

}  // namespace

TEST_CASE("every Unicode character is UTF-8, surrogates and what lies above U+10FFFF are not") {
  unsigned accepted = 0;
  for (unsigned code = 0; code < 0x120000; ++code) {
    const bool valid = code < 0x110000 && (code < 0xd800 || code > 0xdfff);
    if (wire::is_utf8(encoded(code)) != valid) FAIL("U+" << std::hex << code);
    accepted += valid ? 1 : 0;
  }
  CHECK(accepted == 0x110000 - 0x800);
}

TEST_CASE("text that is not UTF-8 is refused at its first impossible byte") {
  CHECK(refused_at("a\x80") == 1);             // a continuation that continues nothing
  CHECK(refused_at("\xc0\x80") == 0);          // overlong, two bytes
  CHECK(refused_at("\xe0\x9f\xbf") == 1);      // overlong, three
  CHECK(refused_at("\xf0\x8f\xbf\xbf") == 1);  // overlong, four
  CHECK(refused_at("\xed\xa0\x80") == 1);      // a surrogate
  CHECK(refused_at("\xf4\x90\x80\x80") == 1);  // above U+10FFFF
  CHECK(refused_at("\xf5") == 0);
  CHECK(refused_at("\xe2\x82(") == 2);
}

TEST_CASE("a text that ends inside a character is not whole, and says how much it lacks") {
  wire::utf8_checker checker;
  REQUIRE(checker.feed(0xf0));
  CHECK(checker.left() == 3);
  REQUIRE(checker.feed(0x9f));
  CHECK(checker.left() == 2);
  CHECK_FALSE(checker.whole());
  CHECK_FALSE(wire::is_utf8("\xf0\x9f"));
}

TEST_CASE("a text to be sent is cut between characters") {
  CHECK(wire::sendable_text("grün", 5) == "grün");
  CHECK(wire::sendable_text("grün", 4) == "grü");
  CHECK(wire::sendable_text("grün", 3) == "gr");
  CHECK(wire::sendable_text("\xf0\x9f\x98\x80", 3).empty());
}

TEST_CASE("in a text to be sent, each byte that is not UTF-8 becomes a question mark") {
  CHECK(wire::sendable_text("f\xfcr sp\xe4ter", 99) == "f?r sp?ter");
  CHECK(wire::sendable_text("a\xe2\x82", 99) == "a??");
  CHECK(wire::sendable_text("\xed\xa0\x80x", 99) == "???x");
  CHECK(wire::sendable_text("\xff\xff\xff", 2) == "??");
}

}  // namespace tp::test
