// Rules for faults, and what they are asked.
#include "twinpipe/sim/fault.hpp"

#include <stdexcept>
#include <utility>

#include "fatal.hpp"
#include "kernel.hpp"
#include "text.hpp"
#include "verdict.hpp"

namespace tp::sim {

namespace {

/// Why such an act can't have that fault; empty: it can.
std::string why_impossible(act what, const fault& which) {
  static constexpr std::string_view names[] = {"bind",  "connect",  "accept", "read",
                                               "write", "shutdown", "drain",  "read_file"};
  const std::string_view name = names[std::to_underlying(what)];
  const bool waits = what != act::bind && what != act::read_file;
  if (which.delay != duration{} && !waits)
    return join("act::", name, " cannot be delayed, for it never waits: only connect, accept, read, write, ",
                "shutdown and drain do");
  if (which.resets && (!waits || what == act::connect || what == act::accept))
    return join("act::", name,
                " has no connection that could be reset: only read, write, shutdown and drain have one");
  return {};
}

void refuse_impossible(act what, const fault& which) {
  if (const std::string why = why_impossible(what, which); !why.empty()) throw std::invalid_argument(why);
}

/// A type of its own, so that its name can be asked for.
struct rule_for_one_act {
  act what;
  std::string process;
  std::uint64_t number;
  fault which;

  std::optional<fault> operator()(const occasion& at) const {
    const bool here = at.what == what && at.process == process && at.number == number;
    return here ? std::optional(which) : std::nullopt;
  }
};

}  // namespace

time_point occasion::now() const noexcept {
  return time_.now();
}
bool occasion::happens(std::uint32_t one_in) const {
  return time_.happens(one_in, choice::fault);
}
std::uint32_t occasion::below(std::uint32_t bound) const {
  return time_.choose(bound, choice::fault);
}

fault_rule latency(duration least, duration most) {
  constexpr std::uint32_t steps = 16;
  return [=](const occasion& at) -> std::optional<fault> {
    if (at.what == act::bind || at.what == act::read_file) return std::nullopt;
    return fault{.delay = least + (most - least) / steps * at.below(steps + 1)};
  };
}

fault_rule sometimes(act what, std::uint32_t one_in, fault which) {
  refuse_impossible(what, which);
  return [=](const occasion& at) {
    return at.what == what && at.happens(one_in) ? std::optional(which) : std::nullopt;
  };
}

fault_rule at_act(act what, std::string process, std::uint64_t number, fault which) {
  refuse_impossible(what, which);
  return rule_for_one_act{what, std::move(process), number, which};
}

std::string find_misnamed(const world::state& world) {
  for (const fault_rule& each : world.fault_rules) {
    const auto* const one = each.target<rule_for_one_act>();
    if (one == nullptr) continue;
    const std::string begin = one->process + ", pid ";
    bool known = false;
    for (std::size_t i = 0; i < world.known_processes.size() && !known; ++i)
      known = world.known_processes[i].starts_with(begin);
    if (!known)
      return join(
          "a rule for faults is about the process '", one->process,
          "', and there was none of that name; it is the one that world::process was given, on another ",
          "host HOST:NAME");
  }
  return {};
}

fault process_record::fault_at(act what) {
  if (world->fault_rules.empty() || dead() || world->time.current().dying) return {};
  const occasion here(what, short_name(), ++acts[std::to_underlying(what)], world->time);
  for (const fault_rule& rule : world->fault_rules) {
    if (const auto found = rule(here)) {
      if (const std::string why = why_impossible(what, *found); !why.empty())
        detail::fatal("a rule for faults: " + why);
      if (found->delay != duration{}) {
        const auto time_of_it = static_cast<std::uint64_t>(found->delay.count());
        world->time.remark(happening::delayed, static_cast<std::uint32_t>(time_of_it >> 32U),
                           static_cast<std::uint32_t>(time_of_it), std::to_underlying(what));
      }
      if (found->fails != errc::none || found->resets)
        world->time.note(happening::faulted, 0, 0, std::to_underlying(what), found->fails);
      return *found;
    }
  }
  return {};
}

}  // namespace tp::sim
