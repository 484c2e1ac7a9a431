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

bool author::is_sending(const line_entry& by) const {
  return std::ranges::any_of(sides_.known().all_pending(), [&by](const auto& each) {
    return each.second.what == verb::send && each.second.at == by.first;
  });
}

/// Of what a stopped send has left there.
bool author::is_full(const line_entry& by) const {
  const std::uint16_t to = sides_.known().peer(by.first);
  return to != 0 && sides_.known().unread(to) > 100'000 && !is_sending(by);
}

std::uint32_t author::size(const line_entry& by) {
  // Two large ones may share a write, and end together.
  if (about_.big && random_.one_in(3) && !is_sending(by))
    return static_cast<std::uint32_t>(500'000 + random_.below(400'000));
  const std::uint16_t to = sides_.known().peer(by.first);
  if (to != 0 && sides_.known().unread(to) > 20'000) return static_cast<std::uint32_t>(random_.below(10));
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
  if (by == nullptr || is_full(*by)) return std::nullopt;
  return step{.what = verb::send,
              .process = by->second.process,
              .at = by->first,
              .n = size(*by),
              .bound = any_limit()};
}

step author::receive_from(const line_entry& from) {
  step s{.what = verb::receive_more, .process = from.second.process, .at = from.first, .bound = any_limit()};
  const std::uint64_t unread = sides_.known().unread(from.first);
  // Where more waits than fits, it would matter how much of it one receive gets.
  const bool much = unread > 100'000;
  if (much) s.bound = limit::none;
  if (from.second.how != style::message && unread > 0 && random_.below(4) < (much ? 3U : 2U)) {
    s.what = verb::receive_all;
  } else if (much || random_.one_in(2)) {
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

std::optional<step> author::at_line(verb what, std::uint32_t n) {
  const line_entry* const at = any_line();
  if (at == nullptr) return std::nullopt;
  // How much a closing side still takes of more than fits depends on who is faster.
  if (what == verb::close && sides_.known().unread(at->first) > 100'000) return std::nullopt;
  return step{.what = what, .process = at->second.process, .at = at->first, .n = n, .bound = any_limit()};
}

}  // namespace tp::test::parity::api
