// Another process, started and ended by a case.
#pragma once

#include <cstdint>
#include <string>

namespace tp::test {

class other_process {
 public:
  /// A program of this one's folder.
  other_process(const std::string& program, const std::string& argument);
  ~other_process();
  other_process(const other_process&) = delete;
  other_process& operator=(const other_process&) = delete;

  [[nodiscard]] std::uint32_t pid() const noexcept { return pid_; }
  /// Waits, ten seconds at most; -1 if it still runs then.
  [[nodiscard]] int exit_code();

 private:
  void* process_ = nullptr;
  std::uint32_t pid_ = 0;
};

}  // namespace tp::test
