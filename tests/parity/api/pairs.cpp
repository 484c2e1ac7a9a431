// The committed lists of pairs.
#include "pairs.hpp"

#include <algorithm>
#include <fstream>

#include "side.hpp"

namespace tp::test::parity::api {

namespace {

/// Adds what the list asks for and nobody has seen.
void add_missing(const std::string& list_name, const pairs& seen, std::vector<std::string>& missing) {
  static const std::string for_root = "root: ";
  std::ifstream list(std::string(TWINPIPE_SOURCE_DIR "/tests/parity/api/") + list_name);
  std::size_t listed = 0;
  for (std::string line; std::getline(list, line);) {
    if (line.empty() || line.starts_with('#')) continue;
    ++listed;
    const bool needs_root = line.starts_with(for_root);
    if (needs_root && !may_be_others()) continue;
    const std::string pair = needs_root ? line.substr(for_root.size()) : line;
    if (!seen.contains(pair)) missing.push_back(pair);
  }
  if (listed == 0) missing.push_back("the list itself, tests/parity/api/" + list_name);
}

}  // namespace

std::vector<std::string> missing_from(const pairs& seen) {
  std::vector<std::string> missing;
  for (const char* const list : {"pairs.txt", "pairs_blocking.txt"}) add_missing(list, seen, missing);
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
