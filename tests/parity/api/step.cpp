// How steps and what they come to read.
#include "step.hpp"

#include <array>
#include <utility>

namespace tp::test::parity::api {

namespace {

std::string to_text(const manner& m, bool binds) {
  static constexpr std::array ways{"", ", in", ", out"};
  static constexpr std::array audiences{"", ", for a group", ", for Alice", ", for everyone"};
  static constexpr std::array trusts{"", ", trusting its own user", ", trusting root", ", trusting anyone"};
  std::string text = std::string(to_string(m.how)) + ways.at(std::to_underlying(m.way));
  if (binds) {
    text += audiences.at(std::to_underlying(m.admits));
    if (m.instances > 0) text += ", " + std::to_string(m.instances) + " instances";
    if (m.backlog < 128) text += ", a backlog of " + std::to_string(m.backlog);
  } else {
    text += trusts.at(std::to_underlying(m.trust));
    text += ", level " + std::to_string(std::to_underlying(m.level));
    if (m.waits) text += ", waiting for a server";
  }
  if (m.max_message < (1U << 20U)) text += ", messages up to " + std::to_string(m.max_message);
  if (m.max_queued < (4U << 20U)) text += ", queue of " + std::to_string(m.max_queued);
  return text;
}

std::string object_of(const step& s) {
  const std::string at = std::to_string(s.at), n = std::to_string(s.n);
  switch (s.what) {
    case verb::bind:
    case verb::connect:
      return " place " + at + " (" + to_text(s.with, s.what == verb::bind) + ")";
    case verb::unbind:
    case verb::accept:
    case verb::look:
      return " place " + at;
    case verb::send:
      return " " + n + " bytes by " + at;
    case verb::receive:
      return " up to " + n + " bytes by " + at;
    case verb::read_file:
      return " " + n + " as the client of " + at;
    case verb::crash:
    case verb::halt:
    case verb::finish:
      return "";
    default:
      return " " + at;
  }
}

}  // namespace

std::string_view to_string(verb what) noexcept {
  static constexpr std::array<std::string_view, verbs> names{
      "bind",        "unbind",   "accept", "connect", "send",  "receive",    "receive_more",
      "receive_all", "shutdown", "drain",  "close",   "abort", "disconnect", "drop",
      "read_file",   "look",     "stop",   "crash",   "halt",  "finish"};
  return names.at(std::to_underlying(what));
}

std::string_view to_string(style how) noexcept {
  static constexpr std::array<std::string_view, styles> names{"bytes", "framed", "message", "raw"};
  return names.at(std::to_underlying(how));
}

std::string to_text(const step& s) {
  static constexpr std::array bounds{"", ", within 5 ms", ", within a minute", ", stopped before"};
  return std::to_string(s.op) + ": process " + std::to_string(s.process) + ": " +
         std::string(to_string(s.what)) + object_of(s) + bounds.at(std::to_underlying(s.bound));
}

std::string outcome_of(const completion& c) {
  if (c.code != errc::none) return std::string(to_string(c.code));
  if (c.end) return c.discarded ? "end, discarded" : "end";
  if (receives(c.what)) return !c.complete ? "part" : c.n == 0 ? "nothing" : "received";
  if (c.what != verb::close) return "ok";
  static constexpr std::array outcomes{"delivered", "discarded", "unknown"};
  return outcomes.at(std::to_underlying(c.delivered));
}

std::string to_text(const completion& c) {
  static constexpr std::array names{"own", "alice", "bob", "nobody"};
  std::string text = std::to_string(c.op) + " " + std::string(to_string(c.what)) + ": " + outcome_of(c);
  if (c.n > 0) text += ", " + std::to_string(c.n);
  const bool met = c.code == errc::none && (c.what == verb::accept || c.what == verb::connect);
  if (met)
    text += std::string(", ") + names.at(c.peer) + ", level " + std::to_string(std::to_underlying(c.level));
  return text;
}

}  // namespace tp::test::parity::api
