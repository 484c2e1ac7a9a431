// Faults of a world: small values, returned by rules.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "twinpipe/error.hpp"
#include "twinpipe/time.hpp"

namespace tp::sim {

class scheduler;

/// What a process asks of its system.
enum class act : std::uint8_t { bind, connect, accept, read, write, shutdown, drain, read_file };

/// One act, before it has any effect.
class occasion {
 public:
  occasion(act a, std::string_view who, std::uint64_t n, scheduler& time) noexcept
      : what(a), process(who), number(n), time_(time) {}

  const act what;
  const std::string_view process;  ///< the name that world::process was given
  /// Of this kind in this process, from 1. A call that timed out isn't over yet: the next one of its kind on
  /// that connection goes on with the same act.
  const std::uint64_t number;

  [[nodiscard]] time_point now() const noexcept;
  /// Once in so many times: a choice like any other, so it is explored and replayed. Never without an
  /// answerer.
  [[nodiscard]] bool happens(std::uint32_t one_in) const;
  /// A number below the bound, likewise; 0 without an answerer.
  [[nodiscard]] std::uint32_t below(std::uint32_t bound) const;

 private:
  scheduler& time_;
};

/// What becomes of an act. The parts may be combined; one that waits first and fails then is a delayed
/// failure. A rule whose answer an act can't have ends the program.
struct fault {
  /// It takes so long: until then it does nothing and doesn't fail, but its deadline, a cancel or a close end
  /// it. Only acts that can wait: connect, accept, read, write, shutdown, drain.
  duration delay = {};
  /// It fails so, and has no effect. An operation's own errors only: no_resources for a system that is out of
  /// descriptors; busy or not_found for a connect; io_error.
  errc fails = errc::none;
  /// The connection is gone for both sides, at once: this one sees connection_reset. Only read, write,
  /// shutdown, drain.
  bool resets = false;
};

/// Asked before every act, in the order the rules were added; the first answer counts.
using fault_rule = std::function<std::optional<fault>(const occasion&)>;

/// Every act that can wait takes between `least` and `most`, in steps of a sixteenth of the difference.
[[nodiscard]] fault_rule latency(duration least, duration most);
/// One in so many acts of that kind has the fault. Throws std::invalid_argument if such acts can't have it.
[[nodiscard]] fault_rule sometimes(act what, std::uint32_t one_in, fault which);
/// The n-th act of that kind in that process has it. Throws likewise. An exploration whose run has no process
/// of that name fails.
[[nodiscard]] fault_rule at_act(act what, std::string process, std::uint64_t number, fault which);

}  // namespace tp::sim
