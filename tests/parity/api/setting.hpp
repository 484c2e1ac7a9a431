// What a side has prepared for a script: users, places for names, files.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "step.hpp"

namespace tp::test::parity::api {

inline constexpr std::size_t persons = 3;
inline constexpr std::size_t places = 2;  ///< names that a script may use

struct setting {
  std::array<std::uint32_t, persons> uids{};
  std::uint32_t group = 0;                   ///< that Alice is in
  std::array<std::string, persons> folders;  ///< of each person, for names
  std::array<std::string, places> names;
  std::array<person, places> servers{};  ///< whose name it is
  std::vector<std::string> files;
  bool blocking = false;  ///< operations are calls that wait
};

/// What files there are: whose, with what mode. The last that a script names doesn't exist.
struct shelf_entry {
  const char* name;
  person owner;
  unsigned mode;
  bool shared_group;
};
inline constexpr std::array<shelf_entry, 4> shelf{{
    {.name = "own", .owner = person::own, .mode = 0600, .shared_group = false},
    {.name = "alice", .owner = person::alice, .mode = 0600, .shared_group = false},
    {.name = "shared", .owner = person::bob, .mode = 0640, .shared_group = true},
    {.name = "open", .owner = person::bob, .mode = 0644, .shared_group = false},
}};

/// Who plays.
struct cast {
  std::vector<person> who;  ///< of each process
  std::array<person, places> servers{};
  std::array<bool, places> abstract{};  ///< its name has no file
  std::array<bool, places>
      strange{};          ///< one of the two sides there speaks the raw profile, the other the native one
  bool blocking = false;  ///< operations are calls that wait
};

}  // namespace tp::test::parity::api
