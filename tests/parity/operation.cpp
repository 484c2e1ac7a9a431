// How operations and their outcomes read, and what they send.
#include "operation.hpp"

#include <array>
#include <cerrno>
#include <utility>
#include <vector>

#include "random.hpp"

namespace tp::test::parity {

std::string to_text(const operation& o) {
  constexpr std::array names{"open",   "pair", "limit", "listen", "connect", "accept",   "send",
                             "urgent", "recv", "fill",  "drain",  "error",   "shutdown", "close"};
  std::string text = names.at(std::to_underlying(o.what));
  text += ' ' + std::to_string(o.at);
  if (o.other >= 0) text += " and " + std::to_string(o.other);
  if (o.n > 0) text += ", " + std::to_string(o.n);
  return text;
}

std::string name_of_error(int code) {
  constexpr std::array names{std::pair{EAGAIN, "EAGAIN"},         std::pair{EPIPE, "EPIPE"},
                             std::pair{ECONNRESET, "ECONNRESET"}, std::pair{ECONNREFUSED, "ECONNREFUSED"},
                             std::pair{EINVAL, "EINVAL"},         std::pair{ENOTCONN, "ENOTCONN"},
                             std::pair{EISCONN, "EISCONN"},       std::pair{EOPNOTSUPP, "EOPNOTSUPP"}};
  for (const auto& [known, name] : names) {
    if (known == code) return name;
  }
  return "error " + std::to_string(code);
}

std::string to_text(const outcome& o) {
  std::string text = o.error == 0 ? std::to_string(o.n) : name_of_error(o.error);
  if (o.calls != 1)
    text += " after " + std::to_string(o.n) + " bytes in " + std::to_string(o.calls) + " calls";
  return o.data == 0 ? text : text + ", hash " + std::to_string(o.data % 10'000);
}

std::string to_text_of_poll(unsigned bits) {
  constexpr std::array known{std::pair{0x1U, " IN"},  std::pair{0x2U, " PRI"},  std::pair{0x4U, " OUT"},
                             std::pair{0x8U, " ERR"}, std::pair{0x10U, " HUP"}, std::pair{0x2000U, " RDHUP"}};
  std::string text;
  for (const auto& [bit, name] : known) text += (bits & bit) != 0 ? name : "";
  return text.empty() ? "nothing" : text.substr(1);
}

std::string to_text(const state& s) {
  return "poll " + to_text_of_poll(s.poll) + ", outq " + std::to_string(s.outq) + ", inq " +
         std::to_string(s.inq) + ", told of " + to_text_of_poll(s.told);
}

std::span<const std::byte> payload(const operation& o, std::size_t call) {
  static const std::vector<std::byte> pattern = [] {
    std::vector<std::byte> made(greatest_size + 4096);
    generator random(1);
    for (std::byte& b : made) b = static_cast<std::byte>(random.below(256));
    return made;
  }();
  return std::span(pattern).subspan((o.n * 7 + call * 131) % 4096, o.n);
}

std::span<std::byte> room() {
  static std::vector<std::byte> bytes(greatest_size);
  return bytes;
}

}  // namespace tp::test::parity
