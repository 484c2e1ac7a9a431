// Reads skips.txt.
#include "conformance/allowed_skips.hpp"

#include <fstream>
#include <set>
#include <string>

#include "conformance/case.hpp"

namespace tp::conformance {
namespace {

using lines = std::set<std::string, std::less<>>;

lines& case_names() {
  static lines all;
  return all;
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
  return case_names().emplace(which.name).second;
}

std::string wrong_with_skips() {
  for (const std::string& line : allowed()) {
    const auto first = line.find(" | "), second = line.rfind(" | ");
    if (first == second || !case_names().contains(line.substr(first + 3, second - first - 3))) return line;
  }
  return {};
}

bool skip_is_allowed(std::string_view twin, std::string_view which, std::string_view capability) {
  std::string line(twin);
  line.append(" | ").append(which).append(" | ").append(capability);
  return allowed().contains(line);
}

}  // namespace tp::conformance
