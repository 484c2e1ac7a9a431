// How scripts begin, and what their author remembers.
#include "scene.hpp"

#include <algorithm>
#include <utility>

namespace tp::test::parity::api {

namespace {

person anybody(generator& random, bool mixed) {
  if (!mixed || random.one_in(2)) return person::own;
  return random.one_in(2) ? person::alice : person::bob;
}

constexpr std::array<std::string_view, 4> arms{"tasks", "raw", "blocking", "blocking-raw"};

manner any_manner(generator& random, bool mixed, bool raw) {
  manner m;
  m.how = static_cast<style>(random.below(styles - 1));
  if (raw && !random.one_in(4)) m.how = style::raw;
  if (random.one_in(6)) m.way = static_cast<direction>(1 + random.below(2));
  if (random.one_in(2)) m.instances = static_cast<std::uint8_t>(1 + random.below(2));
  if (random.one_in(4)) m.max_message = 1000;
  if (!mixed) return m;
  m.admits = random.one_in(2) ? access_policy::audience::everyone_local
                              : static_cast<access_policy::audience>(random.below(4));
  return m;
}

}  // namespace

std::optional<arm> arm_called(std::string_view name) {
  const auto found = std::ranges::find(arms, name);
  if (found == arms.end()) return std::nullopt;
  const auto number = static_cast<unsigned>(found - arms.begin());
  return arm{.blocking = (number & 2U) != 0, .raw = (number & 1U) != 0};
}

std::string_view to_string(arm which) {
  return arms.at((which.blocking ? 2U : 0U) + (which.raw ? 1U : 0U));
}

scene::scene(generator& random, std::optional<arm> only) {
  which = {.blocking = random.one_in(3), .raw = random.one_in(5)};
  if (only) which = *only;
  who.blocking = which.blocking;
  const bool mixed = may_be_others() && !random.one_in(3);
  const std::size_t count = 2 + random.below(3);
  for (std::size_t i = 0; i < count; ++i) who.who.push_back(anybody(random, mixed));
  waits = random.one_in(40);
  big = random.one_in(4);
  explored = random.one_in(2);
  steps = waits ? 16 : 30 + random.below(40);
  for (std::size_t i = 0; i < places; ++i) {
    server.at(i) = static_cast<std::uint8_t>(i == 0 ? 0 : random.below(count));
    who.servers.at(i) = who.who.at(server.at(i));
    who.abstract.at(i) = random.one_in(5);
    names.at(i) = any_manner(random, mixed, which.raw);
    who.strange.at(i) = which.raw && random.one_in(8);
    if (big && random.one_in(2)) names.at(i).max_queued = 60'000;
    if (big) names.at(i).max_message = 1U << 20U;
    if (waits) names.at(i).backlog = static_cast<std::uint8_t>(random.below(2));
  }
}

void objects::began(const step& s) {
  if (s.what == verb::accept) accepting.at(s.at) = s.op;
  if (!is_of_connection(s.what)) return;
  line& of = lines.at(s.at);
  if (receives(s.what) && of.receiving == 0) of.receiving = s.op;
  if (s.what == verb::close || s.what == verb::abort || s.what == verb::disconnect) of.spent = true;
  if (s.what == verb::drop) lines.erase(s.at);
}

void objects::ended(const completion& c, const step& s) {
  if (s.what == verb::bind && c.code == errc::none) bound.at(s.at) = listened.at(s.at) = true;
  if (s.what == verb::unbind) bound.at(s.at) = false;
  if (s.what == verb::accept && accepting.at(s.at) == s.op) accepting.at(s.at) = 0;
  const bool made = s.what == verb::accept || s.what == verb::connect;
  if (made && c.code == errc::none) {
    lines.emplace(s.op, line{.process = s.process, .how = s.with.how, .server = s.what == verb::accept});
  }
  if (!receives(s.what)) return;
  const auto of = lines.find(s.at);
  if (of != lines.end() && of->second.receiving == s.op) of->second.receiving = 0;
}

void objects::died(std::uint8_t process) {
  std::erase_if(lines, [&](const auto& each) { return each.second.process == process; });
}

}  // namespace tp::test::parity::api
