// Reads skips.txt.
#include "conformance/allowed_skips.hpp"

#include <fstream>
#include <set>
#include <stdexcept>
#include <string>

namespace tp::conformance {
namespace {

std::set<std::string, std::less<>> read_lines() {
  std::ifstream page(TWINPIPE_SOURCE_DIR "/tests/conformance/skips.txt");
  if (!page) throw std::runtime_error("tests/conformance/skips.txt can't be read");
  std::set<std::string, std::less<>> lines;
  for (std::string line; std::getline(page, line);) {
    if (!line.empty() && line.front() != '#') lines.insert(line);
  }
  return lines;
}

}  // namespace

bool skip_is_allowed(std::string_view twin, std::string_view which, std::string_view capability) {
  static const auto lines = read_lines();
  std::string line(twin);
  line.append(" | ").append(which).append(" | ").append(capability);
  return lines.contains(line);
}

}  // namespace tp::conformance
