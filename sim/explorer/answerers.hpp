// Answerers of choices: by a seed, by a written schedule, and all there are.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "published.hpp"
#include "random.hpp"
#include "twinpipe/sim/choice.hpp"

namespace tp::sim {

class random_answerer final : public answerer {
 public:
  explicit random_answerer(std::uint64_t seed) noexcept : numbers_(seed) {}
  std::uint32_t answer(std::uint32_t bound, choice) override { return numbers_.below(bound); }

 private:
  random_numbers numbers_;
};

/// Those that were written, then 0.
class written_answerer final : public answerer {
 public:
  explicit written_answerer(std::vector<std::uint32_t> choices) noexcept : choices_(std::move(choices)) {}
  std::uint32_t answer(std::uint32_t bound, choice) override {
    const std::uint32_t written = next_ < choices_.size() ? choices_[next_] : 0;
    ++next_;
    if (written < bound) return written;
    diverged_ = true;
    return 0;
  }
  /// Was there a choice without that alternative? Then the schedule is another scenario's.
  [[nodiscard]] bool diverged() const noexcept { return diverged_; }

 private:
  std::vector<std::uint32_t> choices_;
  std::size_t next_ = 0;
  bool diverged_ = false;
};

/// Depth first: each run differs from the one before in the last choice that still has an alternative within
/// the bound (Musuvathi and Qadeer, "Iterative context bounding for systematic testing of multithreaded
/// programs", 2007). What a system does by chance, such as ending a wait for no reason, isn't varied.
class exhaustive_answerer final : public answerer {
 public:
  explicit exhaustive_answerer(unsigned preemptions) noexcept : most_(preemptions) {}
  std::uint32_t answer(std::uint32_t bound, choice what) override;
  /// All that was answered in this run so far, what isn't varied among it.
  [[nodiscard]] std::vector<std::uint32_t> given() const;
  /// To the next run; false: there is none.
  [[nodiscard]] bool advance();

 private:
  struct decision {
    std::uint32_t value;
    std::uint32_t bound;
  };
  std::uint32_t decide(std::uint32_t bound, bool preempts);

  std::vector<decision> path_;
  published<std::uint32_t> given_;  ///< which the watchdog may have to tell
  std::size_t next_ = 0;
  unsigned most_;
  unsigned spent_ = 0;  ///< preemptions, so far in this run
};

/// "3-seed-2a", or "3-path-0.0.3x12.1": the format's number, and a seed or choices, one that is repeated with
/// its count.
struct schedule {
  std::optional<std::uint64_t> seed;
  std::vector<std::uint32_t> choices;

  [[nodiscard]] std::string to_string() const;
  /// None if it isn't one, or of another format.
  [[nodiscard]] static std::optional<schedule> parse(std::string_view text);
};

}  // namespace tp::sim
