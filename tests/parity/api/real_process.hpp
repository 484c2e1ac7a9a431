// A real process that plays its part in a script, when it is told to.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "setting.hpp"
#include "step.hpp"
#include "support/real_user.hpp"

namespace tp::test::parity::api {

class real_process {
 public:
  /// Forks it; from then on it is that user.
  real_process(const setting& where, const real_user& user);
  real_process(real_process&& other) noexcept;
  real_process& operator=(real_process&&) = delete;
  ~real_process();  // kills it

  void start(const step& s);
  /// Turns while it has anything to do: did it have?
  bool sweep();
  /// Turns until the operation has ended.
  void wait_for(std::uint16_t op);
  /// -1: it was killed.
  [[nodiscard]] int pid() const noexcept { return pid_; }
  /// As kill -9 does; all that it had open is closed when this returns.
  void crash();
  [[nodiscard]] std::vector<completion> take() { return std::exchange(ended_, {}); }
  [[nodiscard]] const std::string& accident() const noexcept { return accident_; }

 private:
  struct order;
  struct report;
  static void obey(int channel, const setting& where);
  bool ask(const order& what);

  int channel_ = -1;
  int pid_ = -1;
  std::vector<completion> ended_;
  std::string accident_;
};

}  // namespace tp::test::parity::api
