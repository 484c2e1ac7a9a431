// What a run says if it ends the whole program.
#pragma once

#include <functional>
#include <string>

namespace tp::sim {

/// While it lives, an abort of the program (an assertion, std::terminate) first prints which run it happened
/// in.
class last_words {
 public:
  /// `schedule`: of the run that goes on when it is asked.
  explicit last_words(std::function<std::string()> schedule);
  last_words(const last_words&) = delete;
  last_words& operator=(const last_words&) = delete;
  ~last_words();

  /// Those of the run that goes on on the calling thread; null: there is none.
  [[nodiscard]] static const last_words* of_this_thread() noexcept;
  /// A line for a report.
  [[nodiscard]] std::string how_to_replay() const;

 private:
  static void speak(int signal);

  const std::function<std::string()> schedule_;
  const last_words* const outer_;
};

}  // namespace tp::sim
