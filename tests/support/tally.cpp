// Adds "N passed, N failed, N skipped" to the output of each test program, in test cases, and lists what was
// skipped.
#define CATCH_CONFIG_EXTERNAL_INTERFACES
#include <catch2/catch.hpp>
#include <iostream>
#include <string>

#include "support/skip.hpp"

namespace tp::test {
namespace {

class tally : public Catch::TestEventListenerBase {
 public:
  using TestEventListenerBase::TestEventListenerBase;

  void testCaseEnded(const Catch::TestCaseStats& stats) override {
    const std::string skip_reason = take_skip_reason();
    if (!stats.totals.assertions.allOk()) {
      ++failed_;
    } else if (skip_reason.empty()) {
      ++passed_;
    } else {
      ++skipped_;
      std::cout << "skipped: " << stats.testInfo.name << ": " << skip_reason << '\n';
    }
    TestEventListenerBase::testCaseEnded(stats);
  }

  void testRunEnded(const Catch::TestRunStats& stats) override {
    TestEventListenerBase::testRunEnded(stats);
    std::cout << passed_ << " passed, " << failed_ << " failed, " << skipped_ << " skipped" << std::endl;
  }

 private:
  int passed_ = 0;
  int failed_ = 0;
  int skipped_ = 0;
};

CATCH_REGISTER_LISTENER(tally)

}  // namespace
}  // namespace tp::test
