// What operations have come to in all scripts of a run, and what they must have come to.
#pragma once

#include <map>
#include <string>
#include <vector>

namespace tp::test::parity::api {

/// How often each pair of an operation and its outcome occurred: "framed receive: end, discarded".
using pairs = std::map<std::string, unsigned>;

/// Those of pairs.txt and pairs_blocking.txt that didn't occur.
[[nodiscard]] std::vector<std::string> missing_from(const pairs& seen);
/// A line for each.
[[nodiscard]] std::string to_text(const pairs& seen);

}  // namespace tp::test::parity::api
