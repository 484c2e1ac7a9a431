// Which step comes next.
#include "author.hpp"

#include <algorithm>
#include <chrono>
#include <iterator>
#include <optional>
#include <utility>

#include "scene.hpp"

namespace tp::test::parity::api {

namespace {

class author {
 public:
  author(generator& random, const scene& about, const duet& sides)
      : random_(random), about_(about), sides_(sides) {}

  std::optional<step> next();
  void learn(const step& s);

 private:
  using line_entry = std::map<std::uint16_t, objects::line>::value_type;

  std::optional<step> binding();
  std::optional<step> connecting();
  std::optional<step> accepting();
  std::optional<step> sending();
  std::optional<step> receiving();
  std::optional<step> reading();
  std::optional<step> stopping();
  std::optional<step> crashing();
  std::optional<step> at_place(verb what);
  std::optional<step> at_line(verb what, std::uint32_t n = 0);
  std::optional<step> rare();

  void plan_withdrawal(const step& sent);
  void plan_drains(const step& sent);
  step receive_from(const line_entry& from);
  std::uint32_t size(const line_entry& by);
  limit any_limit();
  const line_entry* any_line();
  [[nodiscard]] bool has_room(std::uint16_t place) const;
  [[nodiscard]] bool is_sending(const line_entry& by) const;
  [[nodiscard]] bool is_full(const line_entry& by) const;
  std::uint8_t any_process() { return static_cast<std::uint8_t>(random_.below(about_.who.who.size())); }
  std::uint16_t any_place() { return static_cast<std::uint16_t>(random_.one_in(4) ? 1 : 0); }

  generator& random_;
  const scene& about_;
  const duet& sides_;
  objects there_;
  std::vector<step> plan_;  ///< what comes next, the last of them first
  std::uint16_t last_ = 0;  ///< the connection of the last step that had one
};

std::optional<step> author::next() {
  if (!plan_.empty()) {
    const step planned = plan_.back();
    plan_.pop_back();
    if (sides_.is_alive(planned.process)) return planned;
  }
  if (sides_.next_op() == 1) return binding();
  if (there_.lines.size() < 2 && random_.one_in(2)) return random_.one_in(2) ? connecting() : accepting();
  switch (random_.below(28)) {
    case 0:
      return binding();
    case 1:
    case 2:
    case 3:
      return connecting();
    case 4:
    case 5:
    case 6:
      return accepting();
    case 7:
    case 8:
    case 9:
    case 10:
    case 11:
      return sending();
    case 12:
    case 13:
    case 14:
    case 15:
    case 16:
    case 17:
    case 18:
      return receiving();
    case 19:
      return at_line(verb::shutdown);
    case 20:
      return at_line(verb::drain);
    case 21:
      return at_line(verb::close);
    case 22:
      return at_line(random_.one_in(3) ? verb::abort : random_.one_in(2) ? verb::drop : verb::disconnect);
    case 23:
      return reading();
    case 24:
      return stopping();
    default:
      return rare();
  }
}

std::optional<step> author::rare() {
  switch (random_.below(6)) {
    case 0:
      return crashing();
    case 1:
      return at_place(verb::unbind);
    case 2:
    case 3:
      return stopping();
    default:
      return at_place(verb::look);
  }
}

void author::learn(const step& s) {
  if (s.what == verb::crash) return there_.died(s.process);
  there_.began(s);
  if (is_of_connection(s.what)) last_ = s.at;
  if (s.what == verb::send && sides_.known().pending(s.op) && random_.one_in(3)) plan_withdrawal(s);
  if (s.what == verb::send && s.bound == limit::none && random_.one_in(10)) plan_drains(s);
  for (const completion& each : sides_.ended()) there_.ended(each, sides_.step_of(each.op));
}

/// It is stopped when the peer has begun to receive it.
void author::plan_withdrawal(const step& sent) {
  const auto to = there_.lines.find(sides_.known().peer(sent.at));
  if (to == there_.lines.end() || to->second.receiving != 0 || to->second.spent) return;
  const std::uint8_t peer = to->second.process;
  const step more{.what = verb::receive_more, .process = peer, .at = to->first};
  plan_ = {more,
           more,
           {.what = verb::stop, .process = sent.process, .at = sent.op},
           {.what = verb::receive, .process = peer, .at = to->first, .n = 1000}};
}

/// Of what the peer hasn't received yet.
void author::plan_drains(const step& sent) {
  step drain{.what = verb::drain, .process = sent.process, .at = sent.at};
  plan_ = {drain, drain, drain};
  plan_.back().bound = limit::soon;
}

limit author::any_limit() {
  const std::size_t roll = random_.below(14);
  return roll == 0 ? limit::stopped : roll <= 2 ? limit::soon : limit::none;
}

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

std::optional<step> author::binding() {
  const std::uint16_t at = any_place();
  std::uint8_t by = about_.server.at(at);
  // Another one of the same user may try, and may have it when the first is gone.
  if (const std::uint8_t other = any_process(); about_.who.who.at(other) == about_.who.servers.at(at)) {
    if (there_.bound.at(at) || !sides_.is_alive(by)) by = other;
  }
  if (!sides_.is_alive(by) || (there_.bound.at(at) && !random_.one_in(3))) return std::nullopt;
  return step{.what = verb::bind, .process = by, .at = at, .with = about_.names.at(at)};
}

// Of two who look again by the clock either may be the first, and where choices are explored, of two who wait
// to be heard. (Those who gave up stay in a backlog, so it is full at times all the same.)
bool author::has_room(std::uint16_t place) const {
  if (!about_.explored && !about_.waits) return true;
  return std::ranges::none_of(sides_.known().all_pending(), [place](const auto& each) {
    return each.second.what == verb::connect && each.second.at == place;
  });
}

std::optional<step> author::connecting() {
  const std::uint8_t by = any_process();
  const std::uint16_t to = any_place();
  if (!there_.bound.at(to) && !about_.waits && !random_.one_in(8)) return std::nullopt;
  if (!sides_.is_alive(by) || !has_room(to)) return std::nullopt;
  step s{.what = verb::connect, .process = by, .at = to, .bound = any_limit(), .with = about_.names.at(to)};
  if (s.with.way != direction::duplex)
    s.with.way = s.with.way == direction::in ? direction::out : direction::in;
  s.with.waits = about_.waits && random_.one_in(2);
  s.with.level = random_.one_in(2) ? impersonation_level::impersonation
                                   : static_cast<impersonation_level>(random_.below(4));
  s.with.trust = random_.one_in(2) ? server_trust::anyone : static_cast<server_trust>(random_.below(4));
  if (random_.one_in(16)) s.with.how = static_cast<style>(random_.below(3));
  if (random_.one_in(16)) s.with.way = static_cast<direction>(random_.below(3));
  return s;
}

std::optional<step> author::accepting() {
  const std::uint16_t at = any_place();
  if (!there_.listened.at(at) || !sides_.is_alive(about_.server.at(at))) return std::nullopt;
  if (there_.accepting.at(at) != 0 && !random_.one_in(6)) return std::nullopt;
  return step{.what = verb::accept,
              .process = about_.server.at(at),
              .at = at,
              .bound = any_limit(),
              .with = about_.names.at(at)};
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

std::optional<step> author::at_line(verb what, std::uint32_t n) {
  const line_entry* const at = any_line();
  if (at == nullptr) return std::nullopt;
  // How much a closing side still takes of more than fits depends on who is faster.
  if (what == verb::close && sides_.known().unread(at->first) > 100'000) return std::nullopt;
  return step{.what = what, .process = at->second.process, .at = at->first, .n = n, .bound = any_limit()};
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

std::optional<step> author::stopping() {
  const auto& pending = sides_.known().all_pending();
  if (pending.empty()) return std::nullopt;
  const auto at = std::next(pending.begin(), static_cast<std::ptrdiff_t>(random_.below(pending.size())));
  // How much of a large send has gone, and whether its end still fits, is the system's: see
  // plan_withdrawal().
  const bool is_large = at->second.what == verb::send && at->second.n > 100'000;
  if (!sides_.is_alive(at->second.process) || is_large) return std::nullopt;
  return step{.what = verb::stop, .process = at->second.process, .at = at->first};
}

std::optional<step> author::crashing() {
  const std::uint8_t victim = any_process();
  if (!sides_.is_alive(victim)) return std::nullopt;
  return step{.what = verb::crash, .process = victim};
}

std::optional<step> author::at_place(verb what) {
  const std::uint16_t at = any_place();
  if (!there_.listened.at(at) || !sides_.is_alive(about_.server.at(at))) return std::nullopt;
  // How many clients of those that have left are still half-open is left to the order of things.
  if (what == verb::look && about_.explored) return std::nullopt;
  if (what == verb::unbind && random_.one_in(2)) return std::nullopt;
  return step{.what = what, .process = about_.server.at(at), .at = at};
}

std::string describe(const scene& about) {
  static constexpr std::array names{"own user", "Alice", "Bob"};
  std::string text;
  for (std::size_t i = 0; i < about.who.who.size(); ++i) {
    text += "  process " + std::to_string(i) + " is " + names.at(std::to_underlying(about.who.who.at(i))) +
            "'s\n";
  }
  return text;
}

script_report play(std::uint64_t seed, pairs& seen, const duet::meddling& meddle) {
  generator random(seed);
  const scene about(random);
  duet sides(about.who, seed, about.explored, meddle);
  author writes(random, about, sides);
  for (std::size_t tried = 0; tried < about.steps; ++tried) {
    const auto s = writes.next();
    if (!s) continue;
    const std::uint16_t op = sides.next_op();
    if (!sides.play(*s)) break;
    writes.learn(sides.step_of(op));
  }
  sides.finish();
  for (const auto& [pair, count] : sides.outcomes()) seen[pair] += count;
  const std::string who = "script of seed " + std::to_string(seed) + ":\n" + describe(about);
  return {.difference = sides.difference().empty() ? "" : who + sides.difference(),
          .history = who + sides.history(),
          .steps = sides.next_op() - std::size_t{1}};
}

}  // namespace

script_report run_script(std::uint64_t seed, pairs& seen, const duet::meddling& meddle) {
  script_report came;
  for (int tries = 0; tries < 5; ++tries) {
    const auto begin = std::chrono::steady_clock::now();
    came = play(seed, seen, meddle);
    if (came.difference.empty() || std::chrono::steady_clock::now() - begin < std::chrono::seconds(1)) break;
  }
  return came;
}

}  // namespace tp::test::parity::api
