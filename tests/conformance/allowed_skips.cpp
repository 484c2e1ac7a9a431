// Reads skips.txt.
#include "conformance/allowed_skips.hpp"

#include <algorithm>
#include <fstream>
#include <map>
#include <set>
#include <string>

#include "conformance/arm.hpp"
#include "conformance/case.hpp"
#include "conformance/twin.hpp"

namespace tp::conformance {
namespace {

using lines = std::set<std::string, std::less<>>;

constexpr std::string_view twins[] = {"real", "sim"};

std::map<std::string_view, const conformance_case*>& cases() {
  static std::map<std::string_view, const conformance_case*> all;
  return all;
}

/// Is it a skip that can happen: a twin, a case, and a capability that the case needs and the twin may lack?
/// What another twin than this one lacks is its own program's business.
bool makes_sense(std::string_view line, twin& here) {
  const auto first = line.find(" | "), second = line.rfind(" | ");
  if (first == second) return false;
  const std::string_view name = line.substr(0, first), missing = line.substr(second + 3);
  const auto found = cases().find(line.substr(first + 3, second - first - 3));
  if (std::ranges::find(twins, name) == std::end(twins)) return false;
  if (found == cases().end()) return calls_block;  // not all cases are compiled for blocking calls
  const auto& needed = found->second->needed;
  const auto what = std::ranges::find(needed, missing, [](capability each) { return to_string(each); });
  return what != needed.end() && (name != here.name() || here.may_lack(*what));
}

const lines& allowed() {
  static const lines all = [] {
    std::ifstream page(TWINPIPE_SOURCE_DIR "/tests/conformance/skips.txt");
    lines made;
    for (std::string line; std::getline(page, line);) {
      if (!line.starts_with('#')) made.insert(line);
    }
    return made;
  }();
  return all;
}

}  // namespace

bool enlist(const conformance_case& which) {
  add_tests(which);
  return cases().emplace(which.name, &which).second;
}

std::string wrong_with_skips() {
  const auto here = make_twin();
  for (const std::string& line : allowed()) {
    if (!makes_sense(line, *here)) return line;
  }
  return {};
}

bool skip_is_allowed(std::string_view twin, std::string_view which, std::string_view capability) {
  std::string line(twin);
  line.append(" | ").append(which).append(" | ").append(capability);
  return allowed().contains(line);
}

}  // namespace tp::conformance
