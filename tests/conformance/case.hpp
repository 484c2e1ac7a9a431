// Registration of conformance cases: one plain test of each, and one that runs it under faults.
#pragma once

#include <catch2/catch.hpp>
#include <cstddef>
#include <initializer_list>
#include <string>
#include <string_view>
#include <vector>

#include "twinpipe/backend/process.hpp"

namespace tp::conformance {

class world;

/// What a twin may lack. `impersonation` is asked for also by cases that need a second user: alice or bob.
enum class capability {
  half_close,
  drain,
  exact_write,
  impersonation,
  exit_handle,
  kernel_instances,
  threads,
  blocking_streams,
  given_handles
};
inline constexpr std::size_t capability_count = sizeof(backend::capabilities);
static_assert(static_cast<std::size_t>(capability::given_handles) + 1 == capability_count,
              "enum and struct have the same entries, each a bool");

[[nodiscard]] std::string_view to_string(capability what) noexcept;
[[nodiscard]] bool has(const backend::capabilities& twin, capability what) noexcept;

/// needs(), needs(capability::drain, …): without them the case is skipped, if tests/conformance/skips.txt
/// allows it.
template <class... Capability>
[[nodiscard]] std::vector<capability> needs(Capability... each) {
  return std::vector<capability>(std::initializer_list<capability>{each...});
}

struct conformance_case {
  std::string_view name;
  std::vector<capability> needed;
  void (*body)(world&);
};

/// Makes the case, which must stay, known to skips.txt and to the twin.
bool enlist(const conformance_case& which);
/// One run without faults; failures are Catch2's.
void run_plain(const conformance_case& which);
/// Many runs, each with a fault in the seam. None of them may hang, leak, or complete an operation twice.
void run_under_faults(const conformance_case& which);

}  // namespace tp::conformance

#define TP_CONFORMANCE_CASE(body, sentence, ...)                           \
  static void body(tp::conformance::world& w);                             \
  static const tp::conformance::conformance_case& body##_case() {          \
    using namespace tp::conformance;                                       \
    static const conformance_case self{sentence, {__VA_ARGS__}, &body};    \
    return self;                                                           \
  }                                                                        \
  static const bool body##_known = tp::conformance::enlist(body##_case()); \
  TEST_CASE(sentence) {                                                    \
    tp::conformance::run_plain(body##_case());                             \
  }                                                                        \
  TEST_CASE(sentence " (under faults)", "[faults]") {                      \
    tp::conformance::run_under_faults(body##_case());                      \
  }                                                                        \
  static void body([[maybe_unused]] tp::conformance::world& w)
#define TP_CONFORMANCE_CASE_AT(counter, ...) TP_CONFORMANCE_CASE_EXPANDED(counter, __VA_ARGS__)
#define TP_CONFORMANCE_CASE_EXPANDED(counter, ...) \
  TP_CONFORMANCE_CASE(conformance_body_##counter, __VA_ARGS__)

/// CONFORMANCE_CASE("sentence", needs(capability::drain)) { …uses `w`… }
#define CONFORMANCE_CASE(...) TP_CONFORMANCE_CASE_AT(__COUNTER__, __VA_ARGS__)
