// One of the two systems on which a script is played.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "setting.hpp"
#include "step.hpp"

namespace tp::test::parity::api {

/// Nothing happens of itself: processes turn only inside these calls, one after the other, so that a script
/// has one order of events.
class side {
 public:
  virtual ~side() = default;
  /// Starts the operation in its process, or ends that process.
  virtual void start(const step& s) = 0;
  /// Turns all processes until none has anything to do, and tells what has ended. A turn that has moved a
  /// part of something large doesn't say so: then all have to be idle more often.
  [[nodiscard]] virtual std::vector<completion> settle(bool large) = 0;
  /// Lets time pass until that operation has ended.
  virtual void wait_for(std::uint8_t process, std::uint16_t op) = 0;
  virtual void pass(duration d) = 0;
  /// A process that ended though nobody killed it, in a sentence; empty: none.
  [[nodiscard]] virtual std::string accident() const = 0;
};

/// What a world may do wrong, to show that scripts find it.
enum class flaw : std::uint8_t {
  none,
  death_closes_nothing,
  death_takes_names,  ///< the files of a dead server's names are gone
  death_by_sigpipe,   ///< who writes to a side that has closed dies of it
};

/// A world. Its choices are the first alternatives, or follow from the seed.
[[nodiscard]] std::unique_ptr<side> simulated_side(const cast& who, std::uint64_t seed, bool explored,
                                                   flaw wrong = flaw::none);
/// Processes that are forked, each its person's.
[[nodiscard]] std::unique_ptr<side> real_side(const cast& who);
/// May this program be Alice and Bob?
[[nodiscard]] bool may_be_others();

}  // namespace tp::test::parity::api
