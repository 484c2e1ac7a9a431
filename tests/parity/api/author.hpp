// Who writes a script, step by step, by what there is and what the simulated side has come to.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <vector>

#include "duet.hpp"
#include "scene.hpp"

namespace tp::test::parity::api {

class author {
 public:
  author(generator& random, const scene& about, const duet& sides)
      : random_(random), about_(about), sides_(sides) {}

  /// The next step; none: what was thought of isn't possible now.
  std::optional<step> next();
  /// That one was played.
  void learn(const step& s);

 private:
  using line_entry = std::map<std::uint16_t, objects::line>::value_type;
  struct habit;

  // author.cpp: what to do, and the plans
  std::optional<step> any_step();
  std::optional<step> rare();
  void plan_withdrawal(const step& sent);
  void plan_queue(const step& sent);
  void plan_drains(const step& sent);
  limit any_limit();
  std::uint8_t any_process() { return static_cast<std::uint8_t>(random_.below(about_.who.who.size())); }

  // author_names.cpp: with the name of a place
  std::optional<step> binding();
  std::optional<step> connecting();
  std::optional<step> accepting();
  std::optional<step> at_place(verb what);
  [[nodiscard]] bool has_room(std::uint16_t place) const;
  std::uint16_t any_place() { return static_cast<std::uint16_t>(random_.one_in(4) ? 1 : 0); }

  // author_lines.cpp: with a connection
  std::optional<step> sending();
  std::optional<step> receiving();
  std::optional<step> reading();
  std::optional<step> leaving();
  [[nodiscard]] bool may_be_missed(const step& s) const;
  std::optional<step> at_line(verb what, std::uint32_t n = 0);
  step receive_from(const line_entry& from);
  std::uint32_t any_size();
  const line_entry* any_line();

  // author_ends.cpp: of what others have begun
  std::optional<step> stopping();
  std::optional<step> crashing();

  generator& random_;
  const scene& about_;
  const duet& sides_;
  objects there_;
  std::vector<step> plan_;  ///< what comes next, the last of them first
  std::uint16_t last_ = 0;  ///< the connection of the last step that had one
};

}  // namespace tp::test::parity::api
