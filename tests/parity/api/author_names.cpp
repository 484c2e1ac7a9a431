// Steps with the name of a place.
#include "author.hpp"

#include <algorithm>

namespace tp::test::parity::api {

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
  const bool mistaken = random_.one_in(16);
  if (mistaken && s.with.how != style::raw) s.with.how = static_cast<style>(random_.below(styles - 1));
  if (about_.who.strange.at(to)) s.with.how = s.with.how == style::raw ? style::bytes : style::raw;
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

std::optional<step> author::at_place(verb what) {
  const std::uint16_t at = any_place();
  if (!there_.listened.at(at) || !sides_.is_alive(about_.server.at(at))) return std::nullopt;
  // How many clients of those that have left are still half-open is left to the order of things.
  if (what == verb::look && about_.explored) return std::nullopt;
  if (what == verb::unbind && random_.one_in(2)) return std::nullopt;
  return step{.what = what, .process = about_.server.at(at), .at = at};
}

}  // namespace tp::test::parity::api
