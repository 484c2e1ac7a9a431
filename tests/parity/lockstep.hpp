// Both sides of a script, one operation after the other, compared after each.
#pragma once

#include <array>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "sockets.hpp"

namespace tp::test::parity {

class lockstep {
 public:
  enum class role : std::uint8_t { closed, fresh, listening, connected };

  /// Without `charges`, for a kernel that isn't the one modelled, nothing is compared that follows from them.
  explicit lockstep(std::unique_ptr<sockets> model, bool charges = true);

  /// What both sides said. After a difference it does nothing.
  outcome run(const operation& o);
  /// The operations up to the difference, and what each side said; empty if there was none.
  [[nodiscard]] const std::string& difference() const noexcept { return difference_; }
  [[nodiscard]] role is(int slot) const { return roles_.at(static_cast<std::size_t>(slot)); }
  /// What both sides saw of a socket behind the last operation.
  [[nodiscard]] state seen(int slot) const { return seen_.at(static_cast<std::size_t>(slot)); }
  [[nodiscard]] bool compares_charges() const noexcept { return charges_; }

 private:
  void learn(const operation& o, const outcome& said);
  [[nodiscard]] state comparable(state s) const;
  void differ(const std::string& kernel, const std::string& model);

  const bool charges_;
  const std::unique_ptr<sockets> kernel_ = real_sockets();
  const std::unique_ptr<sockets> model_;
  std::array<role, slots> roles_{};
  std::array<state, slots> seen_{};
  bool urgent_ = false;  ///< has there been an urgent byte?
  std::vector<std::pair<operation, outcome>> history_;
  std::string difference_;
};

}  // namespace tp::test::parity
