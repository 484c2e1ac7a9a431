// What a run says if it ends the whole program.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

namespace tp::sim {

/// While it lives, an abort of the program (an assertion, std::terminate) first prints which run it happened
/// in.
class last_words {
 public:
  /// `schedule`: of the run that goes on when it is asked; `seed`: if that is one.
  explicit last_words(std::function<std::string()> schedule,
                      const std::optional<std::uint64_t>* seed = nullptr);
  last_words(const last_words&) = delete;
  last_words& operator=(const last_words&) = delete;
  ~last_words();

  /// Those of the run that goes on on the calling thread; null: there is none.
  [[nodiscard]] static const last_words* of_this_thread() noexcept;
  /// A line for a report.
  [[nodiscard]] std::string how_to_replay() const;
  /// The same in a handler of signals, if the schedule is a seed.
  void tell_seed(void (*say)(std::string_view) noexcept) const noexcept;

 private:
  static void speak(int signal);

  const std::function<std::string()> schedule_;
  const std::optional<std::uint64_t>* const seed_;
  const last_words* const outer_;
};

}  // namespace tp::sim
