// The decisions that make one run of a world differ from another, and who takes them.
#pragma once

#include <cstdint>

namespace tp::sim {

/// What is decided. The numbers enter the trace hash: new ones are added at the end.
enum class choice : std::uint8_t {
  preempt,   ///< before an operation of a thread: it goes on (0), or another that could
  pick,      ///< a thread waits: which one goes on
  complete,  ///< which of a system's operations completes next
  waiter,    ///< which of those that wait for one lock, signal or client gets it
  length,    ///< how much less than there is a read takes
  accept,    ///< how much less than there is room for a write takes
  postpone,  ///< whether what could be done at once is left to a later turn
  spurious,  ///< whether a wait ends for no reason
  user,      ///< a number that the program asked for
  fault,     ///< what a rule for faults asks
  close,     ///< which of the things that a killed process had is closed next
  pid,       ///< whether a new process has the pid of one that has ended
  random,    ///< which of 65,536 sequences process::random gives out
};

/// Answers every choice of one run. Whatever it does must follow from what it was made with and what it was
/// asked.
class answerer {
 public:
  virtual ~answerer() = default;
  /// A number below `bound`, which is at least 2. 0 is what a quiet system would do.
  virtual std::uint32_t answer(std::uint32_t bound, choice what) = 0;
};

}  // namespace tp::sim
