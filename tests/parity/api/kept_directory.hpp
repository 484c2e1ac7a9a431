// A directory for a program that may be ended at any moment.
#pragma once

#include <string>

namespace tp::test::parity::api {

/// It is removed with all that is in it however the program ends, kill -9 included: by a process beside it
/// that waits for that. Whoever is forked later has to end with the program.
class kept_directory {
 public:
  kept_directory();
  kept_directory(const kept_directory&) = delete;
  kept_directory& operator=(const kept_directory&) = delete;
  ~kept_directory();
  [[nodiscard]] const std::string& path() const noexcept { return path_; }

 private:
  const std::string path_;
  int alive_ = -1;  ///< open as long as the program lives
  int keeper_ = -1;
};

}  // namespace tp::test::parity::api
