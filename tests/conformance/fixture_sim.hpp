// The twin in memory: with choices of one's own, and for what looks behind its processes.
#pragma once

#include <memory>
#include <string>

#include "conformance/twin.hpp"
#include "twinpipe/sim/choice.hpp"

namespace tp::conformance {

class memory : public twin {
 public:
  /// The end of the run, event by event.
  [[nodiscard]] virtual std::string recent_events() const = 0;
};

/// The choices must outlive it.
[[nodiscard]] std::unique_ptr<memory> make_memory(sim::answerer& choices, bool short_io);

/// Of the world's process behind one of a party that runs, whose calls aren't counted and never fail.
[[nodiscard]] backend::threads& threads_of(tp::process& home);

}  // namespace tp::conformance
