// The list of hashes, and what may not change them.
#include "stored.hpp"

#include <array>
#include <catch2/catch.hpp>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <locale>
#include <memory>
#include <string>
#include <vector>

namespace tp::determinism {

namespace {

std::string line_of(const std::string& name, std::uint64_t hash) {
  std::array<char, 24> digits{};
  std::snprintf(digits.data(), digits.size(), "%016llx", static_cast<unsigned long long>(hash));
  return std::string(digits.data()) + " " + name;
}

bool is_stored(const std::string& wanted) {
  std::ifstream list(TWINPIPE_SOURCE_DIR "/tests/determinism/hashes.txt");
  for (std::string line; std::getline(list, line);) {
    if (line == wanted) return true;
  }
  return false;
}

/// Numbers that are written by a stream or by format() look different in it.
struct dotted : std::numpunct<char> {
  [[nodiscard]] char do_decimal_point() const override { return ','; }
  [[nodiscard]] char do_thousands_sep() const override { return '.'; }
  [[nodiscard]] std::string do_grouping() const override { return "\1"; }
};

/// While it lives, new objects stand elsewhere than they would, and memory isn't the first that was ever
/// used.
class elsewhere {
 public:
  elsewhere() : before_(std::locale::global(std::locale(std::locale(), new dotted))) {
    for (std::size_t i = 1; i < 400; ++i) taken_.push_back(std::make_unique<std::string>(i * 37 % 2000, 'x'));
    for (std::size_t i = 0; i < taken_.size(); i += 3) taken_[i].reset();
  }
  elsewhere(const elsewhere&) = delete;
  elsewhere& operator=(const elsewhere&) = delete;
  ~elsewhere() { std::locale::global(before_); }

 private:
  const std::locale before_;
  std::vector<std::unique_ptr<std::string>> taken_;
};

}  // namespace

void explore_as_stored(const sim::explore_options& options, const sim::scenario& what) {
  const std::string name = Catch::getResultCapture().getCurrentTestName();
  const sim::exploration first = sim::explore(options, what);
  const sim::exploration second = [&] {
    const elsewhere other;
    return sim::explore(options, what);
  }();
  CHECK(first.hash == second.hash);
  CHECK(first.steps == second.steps);
  const std::string line = line_of(name, first.hash);
  if (std::getenv("TWINPIPE_STORE_HASHES") != nullptr) {
    std::puts(("stored: " + line).c_str());
    return;
  }
  INFO(line << "\nis not what is stored. If it is meant to be new, so is sim::schedule_format: then "
            << "scripts/determinism --update stores the hashes.");
  CHECK(is_stored(line));
}

}  // namespace tp::determinism
