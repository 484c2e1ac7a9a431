// A script on both sides, compared after each step.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "ledger.hpp"
#include "pairs.hpp"
#include "side.hpp"

namespace tp::test::parity::api {

/// A planted error of the simulated side.
struct meddling {
  std::function<void(completion&)> says = {};  ///< changes what it has said
  flaw does = flaw::none;
};

class duet {
 public:
  duet(const cast& who, std::uint64_t seed, bool explored, meddling meddle = {});

  /// False: the sides differ, and nothing is played any more.
  bool play(step s);
  /// Ends all processes that still live, and looks at all that was received.
  void finish();

  /// The script up to the difference, and what each side said; empty if there was none.
  [[nodiscard]] const std::string& difference() const noexcept { return difference_; }
  [[nodiscard]] const std::string& history() const noexcept { return history_; }
  /// How often each operation came to what.
  [[nodiscard]] const pairs& outcomes() const noexcept { return outcomes_; }

  /// What the simulated side knows.
  [[nodiscard]] const ledger& known() const noexcept { return simulated_.book; }
  [[nodiscard]] bool is_alive(std::uint8_t process) const { return alive_.at(process); }
  /// What the last step has ended, there.
  [[nodiscard]] const std::vector<completion>& ended() const noexcept { return ended_; }
  [[nodiscard]] const step& step_of(std::uint16_t op) const { return steps_.at(op - 1U); }
  [[nodiscard]] std::uint16_t next_op() const noexcept {
    return static_cast<std::uint16_t>(steps_.size() + 1);
  }

 private:
  struct played {
    std::unique_ptr<side> on;
    std::function<void(completion&)> meddle;
    ledger book;
    std::vector<completion> ended{};
    std::uint32_t asked = 0;  ///< n of the step
  };

  void begin(played& at, step s);
  static void collect(played& at);
  [[nodiscard]] bool retries() const;
  [[nodiscard]] bool looks_first(const step& s) const;
  [[nodiscard]] bool peer_has_closed(const completion& c) const;
  [[nodiscard]] bool met_close(const completion& c) const;
  [[nodiscard]] std::string named(const completion& c) const;
  [[nodiscard]] style style_of(const step& s) const;
  [[nodiscard]] bool looks(std::uint16_t op) const;
  void catch_up();
  void look_again();
  void compare(const step& s);
  void differ(const std::string& real, const std::string& simulated);

  played simulated_, real_;
  const bool explored_;
  const cast who_;
  std::vector<bool> alive_;
  std::vector<completion> ended_;
  std::map<std::uint16_t, std::uint16_t> ended_in_;  ///< by operation: the step that has ended it
  pairs outcomes_;
  std::string history_, difference_;
  std::vector<step> steps_;
};

}  // namespace tp::test::parity::api
