// The test vectors of docs/protocol.md, read from the page itself.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "wire_support.hpp"

namespace tp::test {

struct wire_vector {
  std::string kind;  ///< hello, reply or frames
  std::string title;
  byte_vector bytes;
  std::vector<std::pair<std::string, std::string>> fields;  ///< in the order of the page

  /// The value of the first field of that name; empty if there is none.
  [[nodiscard]] std::string get(std::string_view name) const;
  [[nodiscard]] std::vector<std::string> get_all(std::string_view name) const;
};

/// Those of one kind. Throws if the page or a line of it can't be read.
[[nodiscard]] std::vector<wire_vector> vectors_of(std::string_view kind);

/// The bytes of the vector with this title.
[[nodiscard]] byte_vector vector_bytes(std::string_view kind, std::string_view title);

}  // namespace tp::test
