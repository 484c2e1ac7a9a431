// Garbage, and good input with bytes changed: the readers against slow, plain descriptions of what is
// allowed.
#include <algorithm>
#include <catch2/catch.hpp>

#include "wire/little_endian.hpp"
#include "wire_support.hpp"
#include "wire_vectors.hpp"

namespace tp::test {

using state = wire::hello_reader::state;
using wire::load;

namespace {

/// Whether whole extensions fill the bytes as section 5 of docs/protocol.md says, looked at all at once.
bool plausible_extensions(std::span<const std::byte> rest, bool reply) {
  std::vector<unsigned> seen(8);
  while (!rest.empty()) {
    if (rest.size() < 4) return false;
    const unsigned type = load<std::uint16_t>(rest, 0);
    const std::size_t length = load<std::uint16_t>(rest, 2);
    const unsigned number = type & 0x7fff;
    const bool known = number >= 1 && number <= 7;
    if (length > rest.size() - 4) return false;
    if (!known && type >= 0x8000) return false;
    if (known && ++seen[number] > 1 && (number > 1 || reply)) return false;
    if (number >= 6 && known && length != 4) return false;
    const auto value = rest.subspan(4, length);
    if (number == 4 &&
        (length > 512 || !wire::is_utf8({reinterpret_cast<const char*>(value.data()), length})))
      return false;
    rest = rest.subspan(4 + length);
  }
  return true;
}

/// Whether the first bytes are a whole hello or reply: sections 2 and 3, all at once.
bool plausible(std::span<const std::byte> b, bool reply) {
  const auto& magic = reply ? wire::server_magic : wire::client_magic;
  if (b.size() < 32 || !std::ranges::equal(b.first(8), magic)) return false;
  const std::size_t total = load<std::uint16_t>(b, 8);
  if (total < 32 || total > 4096 || total > b.size()) return false;
  const unsigned ten = load<std::uint8_t>(b, 10), eleven = load<std::uint8_t>(b, 11);
  if (reply) {
    const auto granted = load<std::uint32_t>(b, 12);
    if (ten > 1 || eleven > 12 || (ten == 0) != (eleven >= 2)) return false;
    if (granted > 31 || (granted != 0 && (granted & 2) == 0) || load<std::uint32_t>(b, 20) > 65536)
      return false;
  } else {
    const unsigned level = load<std::uint8_t>(b, 20), directions = load<std::uint8_t>(b, 21);
    if (ten == 0 || eleven < ten || level > 3 || directions == 0 || directions > 3) return false;
    if (load<std::uint16_t>(b, 22) != 0 || load<std::uint32_t>(b, 28) > 65536) return false;
  }
  return plausible_extensions(b.subspan(32, total - 32), reply);
}

void check_against_description(const byte_vector& bytes, bool reply, std::size_t step) {
  wire::hello_reader reader(reply ? wire::hello_side::from_server : wire::hello_side::from_client);
  const std::size_t taken = feed(reader, bytes, step);
  const bool complete = reader.current() == state::complete;
  // A prefix that is fine so far is no whole hello either.
  if (complete != plausible(bytes, reply))
    FAIL("wrongly " << (complete ? "taken: " : "refused: ") << to_hex(bytes));
  if (complete && taken != load<std::uint16_t>(bytes, 8))
    FAIL("took " << taken << " bytes of " << to_hex(bytes));
  if (reader.current() == state::wrong && reader.reason_text().empty()) FAIL("no reason: " << to_hex(bytes));
}

/// Changes, removes or adds a few bytes; the length field stays as it is or follows.
byte_vector damaged(byte_vector bytes, generator& random) {
  for (std::size_t n = random.below(3) + 1; n > 0 && !bytes.empty(); --n) {
    const auto at = static_cast<std::ptrdiff_t>(random.below(bytes.size()));
    const auto small = static_cast<std::byte>(random.below(16));
    switch (random.below(5)) {
      case 0:
        bytes[static_cast<std::size_t>(at)] = random.byte();
        break;
      case 1:
        bytes[static_cast<std::size_t>(at)] = small;
        break;
      case 2:
        bytes[static_cast<std::size_t>(at)] ^= static_cast<std::byte>(1u << random.below(8));
        break;
      case 3:
        bytes.erase(bytes.begin() + at);
        break;
      default:
        bytes.insert(bytes.begin() + at, small);
    }
  }
  if (bytes.size() > 9 && random.below(2) == 0) {
    wire::store(bytes, 8, static_cast<std::uint16_t>(bytes.size()));
  }
  return bytes;
}

byte_vector random_bytes(generator& random, std::size_t size) {
  byte_vector bytes(size);
  std::ranges::generate(bytes, [&random] { return random.byte(); });
  return bytes;
}

/// Events of a stream given whole and given in pieces of random size must be the same.
std::vector<std::string> events_in_pieces(const byte_vector& bytes, transmission mode, generator& random) {
  frame_log log(mode, 64);
  for (std::size_t at = 0; at < bytes.size();) {
    const std::size_t n = std::min(random.below(20) + 1, bytes.size() - at);
    log.feed(std::span(bytes).subspan(at, n));
    at += n;
  }
  return log.events();
}

}  // namespace

TEST_CASE("no garbage is taken for a hello or a reply") {
  generator random(1);
  for (int i = 0; i < 20000; ++i) {
    auto bytes = random_bytes(random, random.below(200));
    const bool reply = random.below(2) == 0;
    const auto& magic = reply ? wire::server_magic : wire::client_magic;
    if (random.below(4) != 0 && bytes.size() >= 8) std::ranges::copy(magic, bytes.begin());
    check_against_description(bytes, reply, random.below(40) + 1);
  }
}

TEST_CASE(
    "whatever byte of its fixed part is changed, a hello or reply is judged whole as it is byte by byte") {
  for (const bool reply : {false, true}) {
    const auto good = reply ? encode(wire::server_reply{}) : encode(wire::client_hello{});
    for (std::size_t change = 0; change < good.size() * 256; ++change) {
      auto bytes = good;
      bytes[change / 256] = static_cast<std::byte>(change % 256);
      const auto side = reply ? wire::hello_side::from_server : wire::hello_side::from_client;
      wire::hello_reader whole(side), slow(side);
      feed(whole, bytes);
      feed(slow, bytes, 1);
      // A text that quotes what came depends on how much of it came.
      const bool quotes = slow.reason() == errc::peer_is_not_twinpipe;
      if (whole.current() != slow.current() || whole.reason() != slow.reason() ||
          (!quotes && whole.reason_text() != slow.reason_text()))
        FAIL(to_hex(bytes) << ": " << whole.reason_text() << " is not " << slow.reason_text());
    }
  }
}

TEST_CASE("a damaged hello or reply is taken exactly if it is still one") {
  generator random(2);
  auto hellos = vectors_of("hello");
  std::ranges::move(vectors_of("reply"), std::back_inserter(hellos));
  std::size_t still_fine = 0;
  for (int i = 0; i < 20000; ++i) {
    const auto& v = hellos[random.below(hellos.size())];
    const auto bytes = damaged(v.bytes, random);
    check_against_description(bytes, v.kind == "reply", random.below(40) + 1);
    still_fine += plausible(bytes, v.kind == "reply") ? 1 : 0;
  }
  CHECK(still_fine > 1000);
  CHECK(still_fine < 19000);
}

TEST_CASE("damaged frames never take more than was sent, exceed the limit, or depend on how they were cut") {
  generator random(3);
  const auto vectors = vectors_of("frames");
  std::size_t refused = 0;
  for (int i = 0; i < 20000; ++i) {
    const auto& v = vectors[random.below(vectors.size())];
    auto bytes = random.below(8) == 0 ? random_bytes(random, random.below(100)) : damaged(v.bytes, random);
    append(bytes, vectors[random.below(vectors.size())].bytes);
    const auto mode = random.below(2) == 0 ? transmission::message : transmission::byte;
    frame_log log(mode, 64);
    log.feed(bytes);
    if (mode == transmission::message && log.parser().announced() > 64) FAIL(to_hex(bytes));
    if (events_in_pieces(bytes, mode, random) != log.events()) FAIL(to_hex(bytes));
    refused += log.refused() ? 1 : 0;
  }
  CHECK(refused > 1000);
  CHECK(refused < 20000);
}

}  // namespace tp::test
