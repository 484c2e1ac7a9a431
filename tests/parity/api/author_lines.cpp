// Steps with a connection.
#include "author.hpp"

#include <algorithm>
#include <iterator>

namespace tp::test::parity::api {

const author::line_entry* author::any_line() {
  if (there_.lines.empty()) return nullptr;
  // What one connection is in the middle of comes from doing several things with it.
  if (const auto same = there_.lines.find(last_); same != there_.lines.end() && random_.one_in(3))
    return &*same;
  for (int tries = 0; tries < 8; ++tries) {
    const auto at =
        std::next(there_.lines.begin(), static_cast<std::ptrdiff_t>(random_.below(there_.lines.size())));
    if (!at->second.spent || random_.one_in(8)) return &*at;
  }
  return nullptr;
}

std::uint32_t author::any_size() {
  if (about_.big && random_.one_in(3)) return static_cast<std::uint32_t>(500'000 + random_.below(400'000));
  switch (random_.below(6)) {
    case 0:
      return static_cast<std::uint32_t>(random_.below(2));
    case 1:
      return static_cast<std::uint32_t>(random_.below(6000));
    default:
      return static_cast<std::uint32_t>(random_.below(300));
  }
}

std::optional<step> author::sending() {
  const line_entry* const by = any_line();
  if (by == nullptr) return std::nullopt;
  step s{.what = verb::send,
         .process = by->second.process,
         .at = by->first,
         .n = any_size(),
         .bound = any_limit()};
  // See stopping().
  if (s.n > 100'000 && s.bound == limit::soon) s.bound = limit::none;
  return s;
}

step author::receive_from(const line_entry& from) {
  step s{.what = verb::receive_more, .process = from.second.process, .at = from.first, .bound = any_limit()};
  if (from.second.how != style::message && sides_.known().unread(from.first) > 0 && random_.one_in(2)) {
    s.what = verb::receive_all;
    // Five real milliseconds may be too short for much.
    if (s.bound == limit::soon && sides_.known().unread(from.first) > 100'000) s.bound = limit::none;
  } else if (random_.one_in(2)) {
    s.what = verb::receive;
    s.n = static_cast<std::uint32_t>(1 + random_.below(random_.one_in(3) ? 20 : 4000));
  }
  return s;
}

std::optional<step> author::receiving() {
  const line_entry* from = any_line();
  // Rather one to which something was sent.
  for (int tries = 0; tries < 3 && from != nullptr && sides_.known().unread(from->first) == 0; ++tries)
    from = any_line();
  if (from == nullptr || (from->second.receiving != 0 && !random_.one_in(5))) return std::nullopt;
  step s = receive_from(*from);
  if (from->second.receiving != 0) s.what = verb::receive_more;
  return s;
}

std::optional<step> author::reading() {
  const line_entry* const as = any_line();
  if (as == nullptr || (!as->second.server && !random_.one_in(5))) return std::nullopt;
  return at_line(verb::read_file, static_cast<std::uint32_t>(random_.below(shelf.size() + 1)));
}

std::optional<step> author::leaving() {
  return at_line(random_.one_in(3) ? verb::abort : random_.one_in(2) ? verb::drop : verb::disconnect);
}

/// Who asks whether all was read is answered by the next call of a peer that blocks, or by one that goes on.
/// A call that ends just then, with the answer to a question of its own or with what was sent before, may
/// have seen the question or not.
bool author::may_be_missed(const step& s) const {
  if (!about_.which.blocking || (s.what != verb::drain && s.what != verb::close)) return false;
  const std::uint16_t peer = sides_.known().peer(s.at);
  const auto is_plain_line = [this](std::uint16_t line) {
    return line == 0 || is_plain(sides_.step_of(line).with.how);
  };
  if (is_plain_line(s.at) && is_plain_line(peer)) return false;
  return std::ranges::any_of(sides_.known().all_pending(), [&](const auto& each) {
    const step& other = each.second;
    const bool asks = other.what == verb::drain || other.what == verb::close;
    return (asks && other.at == peer) || (other.what == verb::send && other.at == s.at);
  });
}

std::optional<step> author::at_line(verb what, std::uint32_t n) {
  const line_entry* const at = any_line();
  if (at == nullptr) return std::nullopt;
  // How much a closing side still takes of more than fits depends on who is faster.
  if (what == verb::close && sides_.known().unread(at->first) > 100'000) return std::nullopt;
  return step{.what = what, .process = at->second.process, .at = at->first, .n = n, .bound = any_limit()};
}

}  // namespace tp::test::parity::api
