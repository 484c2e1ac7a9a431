// The committed list of pairs.
#include "pairs.hpp"

#include <algorithm>
#include <fstream>

#include "side.hpp"

namespace tp::test::parity::api {

std::vector<std::string> missing_from(const pairs& seen) {
  static const std::string for_root = "root: ";
  std::ifstream list(TWINPIPE_SOURCE_DIR "/tests/parity/api/pairs.txt");
  std::vector<std::string> missing;
  std::size_t listed = 0;
  for (std::string line; std::getline(list, line);) {
    if (line.empty() || line.starts_with('#')) continue;
    ++listed;
    const bool needs_root = line.starts_with(for_root);
    if (needs_root && !may_be_others()) continue;
    const std::string pair = needs_root ? line.substr(for_root.size()) : line;
    if (!seen.contains(pair)) missing.push_back(pair);
  }
  if (listed == 0) missing.emplace_back("the list itself, tests/parity/api/pairs.txt");
  return missing;
}

std::string to_text(const pairs& seen) {
  std::string text;
  for (const auto& [pair, count] : seen) {
    const std::string number = std::to_string(count);
    text += std::string(8 - std::min<std::size_t>(number.size(), 8), ' ') + number + "  " + pair + '\n';
  }
  return text;
}

}  // namespace tp::test::parity::api
