// A script from its seed to its end.
#include "script.hpp"

#include <array>
#include <chrono>
#include <utility>

#include "author.hpp"

namespace tp::test::parity::api {

namespace {

/// The 500 scripts from seed 1 are then some that come to all of pairs.txt.
constexpr std::uint64_t known_to_reach_all = 6000;

std::string describe(const scene& about) {
  static constexpr std::array names{"own user", "Alice", "Bob"};
  std::string text = "  arm: " + std::string(to_string(about.which)) + "\n";
  for (std::size_t i = 0; i < about.who.who.size(); ++i) {
    text += "  process " + std::to_string(i) + " is " + names.at(std::to_underlying(about.who.who.at(i))) +
            "'s\n";
  }
  if (about.explored) text += "  the world's choices are random\n";
  for (std::size_t i = 0; i < places; ++i) {
    if (about.who.abstract.at(i)) text += "  place " + std::to_string(i) + " has no file\n";
    if (about.who.strange.at(i))
      text += "  of the two sides of place " + std::to_string(i) + " only one is raw\n";
  }
  return text;
}

script_report play(std::uint64_t seed, pairs& seen, const meddling& meddle, std::optional<arm> only) {
  const std::uint64_t number = seed + known_to_reach_all;
  generator random(number);
  const scene about(random, only);
  duet sides(about.who, number, about.explored, meddle);
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

script_report run_script(std::uint64_t seed, pairs& seen, const meddling& meddle, std::optional<arm> only) {
  // Limits of real time pass by themselves where the machine is so busy that a script takes a second: it is
  // played again then, and only the last time counts.
  script_report came;
  pairs own;
  for (int tries = 0; tries < 5; ++tries) {
    own.clear();
    const auto begin = std::chrono::steady_clock::now();
    came = play(seed, own, meddle, only);
    if (came.difference.empty() || std::chrono::steady_clock::now() - begin < std::chrono::seconds(1)) break;
  }
  for (const auto& [pair, count] : own) seen[pair] += count;
  return came;
}

}  // namespace tp::test::parity::api
