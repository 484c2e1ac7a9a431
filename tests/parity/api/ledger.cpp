// What one side has sent and received.
#include "ledger.hpp"

#include <algorithm>

namespace tp::test::parity::api {

namespace {

std::uint64_t stirred_by(std::uint64_t hash, std::uint16_t op, std::uint64_t n) {
  for (std::uint64_t i = 0; i < n; ++i) hash = stirred(hash, payload(op, i));
  return hash;
}

}  // namespace

void ledger::begin(const step& s) {
  pending_.emplace(s.op, s);
  if (s.what == verb::send) {
    lines_[s.at].out.push_back({.op = s.op, .n = s.n, .code = errc::none, .is_pending = true});
  }
}

void ledger::end(const completion& c) {
  const auto found = pending_.find(c.op);
  if (found == pending_.end()) return;
  const step s = found->second;
  pending_.erase(found);
  const bool anew = s.what == verb::bind && c.code == errc::none;
  if (anew || s.what == verb::unbind) {
    comers_.erase(s.at);
    std::erase_if(unmet_, [&](const auto& each) { return each.first.first == s.at; });
  }
  const bool made = s.what == verb::accept || s.what == verb::connect;
  if (made && s.with.how == style::raw) {
    meet_in_order(s, c);
  } else if (made && c.code == errc::none) {
    meet(s, c);
  }
  if (s.what == verb::send) {
    for (sent& each : lines_[s.at].out) {
      if (each.op != s.op) continue;
      each.is_pending = false;
      each.code = c.code;
      if (c.code == errc::none) each.n = c.n;
    }
  }
  if (!receives(s.what)) return;
  line& to = lines_[s.at];
  to.received += c.n;
  if (!to.is_message && c.n > 0) to.data = c.data;
  const bool whole = to.is_message && c.code == errc::none && c.complete && !c.end;
  if (whole) to.messages.push_back({.total = c.total, .data = c.data});
}

void ledger::meet(const step& s, const completion& c) {
  line& mine = lines_[s.op];
  mine.is_message = s.with.how == style::message;
  const std::pair<std::uint16_t, std::uint64_t> key{s.at, c.id};
  const auto other = unmet_.find(key);
  if (other == unmet_.end() || other->second.what == s.what) {
    unmet_.insert_or_assign(key, s);
    return;
  }
  pair(other->second.op, s.op);
  unmet_.erase(other);
}

void ledger::pair(std::uint16_t one, std::uint16_t other) {
  lines_[one].peer = other;
  lines_[other].peer = one;
}

// The raw profile has no number for both. Clients are taken in the order in which they came; those whom the
// policy doesn't admit are passed over, all of a user alike. Who doesn't trust the server was there, and
// left.
void ledger::meet_in_order(const step& s, const completion& c) {
  const bool client = s.what == verb::connect, left = c.code == errc::untrusted_server;
  if ((c.code != errc::none && !left) || who_.strange.at(s.at)) return;
  lines_[s.op];
  comers& at = comers_[s.at];
  if (client) at.clients.push_back({left ? std::uint16_t{0} : s.op, who_.who.at(s.process)});
  if (!client) at.accepted.push_back({s.op, static_cast<person>(c.peer)});
  while (!at.clients.empty() && !at.accepted.empty()) {
    const comer next = at.clients.front(), taken = at.accepted.front();
    at.clients.pop_front();
    if (next.who != taken.who) continue;
    at.accepted.pop_front();
    if (next.op != 0) pair(next.op, taken.op);
  }
}

std::uint16_t ledger::peer(std::uint16_t connection) const {
  const auto found = lines_.find(connection);
  return found == lines_.end() ? std::uint16_t{0} : found->second.peer;
}

std::uint64_t ledger::unread(std::uint16_t connection) const {
  const auto here = lines_.find(connection);
  if (here == lines_.end() || here->second.peer == 0) return 0;
  std::uint64_t all = 0;
  for (const sent& each : lines_.at(here->second.peer).out) all += each.code == errc::none ? each.n : 0;
  return all - std::min(all, here->second.received);
}

bool ledger::is_any_large() const {
  return std::ranges::any_of(
      pending_, [](const auto& each) { return each.second.what == verb::send && each.second.n > 100'000; });
}

// What failed may have been sent in part, where the connection has failed with it.
std::string ledger::error_of_bytes(const line& from, const line& to) {
  std::uint64_t left = to.received, hash = 0;
  for (const sent& each : from.out) {
    const bool none =
        each.code == errc::cancelled || each.code == errc::timed_out || each.code == errc::queue_full;
    const std::uint64_t n = none ? 0 : std::min(left, each.n);
    hash = stirred_by(hash, each.op, n);
    left -= n;
  }
  if (left > 0) return std::to_string(left) + " bytes more were received than were sent";
  return hash == to.data ? "" : "the bytes received are not those that were sent";
}

std::string ledger::error_of_messages(const line& from, const line& to) {
  auto next = from.out.begin();
  for (const arrival& each : to.messages) {
    while (next != from.out.end() &&
           (next->n != each.total || stirred_by(0, next->op, next->n) != each.data)) {
      if (next->code == errc::none) return "the message of " + std::to_string(next->op) + " was not received";
      ++next;
    }
    if (next == from.out.end()) return "a message was received that nobody has sent";
    ++next;
  }
  return {};
}

std::string ledger::error() const {
  for (const auto& [number, to] : lines_) {
    if (to.peer == 0) continue;
    const line& from = lines_.at(to.peer);
    const std::string wrong = to.is_message ? error_of_messages(from, to) : error_of_bytes(from, to);
    if (!wrong.empty()) return "at connection " + std::to_string(number) + ": " + wrong;
  }
  return {};
}

}  // namespace tp::test::parity::api
