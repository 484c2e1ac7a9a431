// The test vectors of docs/protocol.md, read from the page itself.
#include "wire_vectors.hpp"

#include <algorithm>
#include <fstream>
#include <stdexcept>

namespace tp::test {

namespace {

void read_line(std::vector<wire_vector>& vectors, const std::string& line) {
  if (line.empty()) return;
  if (line.front() == '[') {
    const auto end = line.find("] ");
    if (end == std::string::npos) throw std::runtime_error("a vector without a title: " + line);
    vectors.push_back(
        {.kind = line.substr(1, end - 1), .title = line.substr(end + 2), .bytes = {}, .fields = {}});
    return;
  }
  const auto equals = line.find(" =");
  if (equals == std::string::npos || vectors.empty()) throw std::runtime_error("not a field: " + line);
  const std::string name = line.substr(0, equals);
  const std::string value = line.size() > equals + 3 ? line.substr(equals + 3) : "";
  if (name == "hex") {
    append(vectors.back().bytes, from_hex(value));
  } else {
    vectors.back().fields.emplace_back(name, value);
  }
}

std::vector<wire_vector> read_page() {
  std::ifstream page(TWINPIPE_SOURCE_DIR "/docs/protocol.md");
  std::vector<wire_vector> vectors;
  bool inside = false;
  for (std::string line; std::getline(page, line);) {
    if (line == "```vectors") {
      inside = true;
    } else if (line == "```") {
      inside = false;
    } else if (inside) {
      read_line(vectors, line);
    }
  }
  return vectors;
}

}  // namespace

std::string wire_vector::get(std::string_view name) const {
  const auto all = get_all(name);
  return all.empty() ? "" : all.front();
}

std::vector<std::string> wire_vector::get_all(std::string_view name) const {
  std::vector<std::string> values;
  for (const auto& [key, value] : fields) {
    if (key == name) values.push_back(value);
  }
  return values;
}

std::vector<wire_vector> vectors_of(std::string_view kind) {
  auto vectors = read_page();
  std::erase_if(vectors, [kind](const wire_vector& v) { return v.kind != kind; });
  if (vectors.empty())
    throw std::runtime_error("docs/protocol.md has no vectors of kind " + std::string(kind));
  return vectors;
}

byte_vector vector_bytes(std::string_view kind, std::string_view title) {
  const auto vectors = vectors_of(kind);
  const auto it = std::ranges::find(vectors, title, &wire_vector::title);
  if (it == vectors.end()) throw std::runtime_error("no vector called " + std::string(title));
  return it->bytes;
}

}  // namespace tp::test
