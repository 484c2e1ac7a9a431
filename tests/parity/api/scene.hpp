// What a script is about: who takes part, and the names with their options. And what of it is there by now.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <optional>
#include <string_view>
#include <vector>

#include "duet.hpp"
#include "parity/random.hpp"

namespace tp::test::parity::api {

/// What the scripts are about that all of a kind have in common.
struct arm {
  bool blocking = false;  ///< operations are calls that wait, on threads of their own
  bool raw = false;       ///< some names are of the raw profile
};
/// "tasks", "raw", "blocking", "blocking-raw".
[[nodiscard]] std::optional<arm> arm_called(std::string_view name);
[[nodiscard]] std::string_view to_string(arm which);

struct scene {
  scene(generator& random, std::optional<arm> only);

  arm which;
  cast who;
  std::array<std::uint8_t, places> server{};  ///< the process that binds it
  std::array<manner, places> names{};
  bool waits = false;     ///< clients wait for servers
  bool big = false;       ///< more is sent than fits
  bool explored = false;  ///< the world's choices aren't the first alternatives
  std::size_t steps = 0;
};

/// The objects of a script, as its author knows them.
class objects {
 public:
  struct line {
    std::uint8_t process;
    style how;
    bool server;
    bool spent = false;  ///< closed, by this side
    std::uint16_t receiving = 0;
  };

  void began(const step& s);
  void ended(const completion& c, const step& s);
  void died(std::uint8_t process);

  std::array<bool, places> bound{};     ///< a listener is there, of an open name
  std::array<bool, places> listened{};  ///< a listener is there
  std::array<std::uint16_t, places> accepting{};
  std::map<std::uint16_t, line> lines;
};

}  // namespace tp::test::parity::api
