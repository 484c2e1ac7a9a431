// What a simulated thread whose stack is full says before it ends the program.
#pragma once

#include <memory>

namespace tp::sim {

/// While it lives, an overflow of the stack of a simulated thread, on the calling thread of the program, is
/// told with the thread's name and how to make the run again. What a fault does to the program is what it
/// would have done.
class overflow_report {
 public:
  overflow_report();
  overflow_report(const overflow_report&) = delete;
  overflow_report& operator=(const overflow_report&) = delete;
  ~overflow_report();

 private:
  struct alternate_stack;
  std::unique_ptr<alternate_stack> stack_;  ///< to say it on, unless the thread has one
};

}  // namespace tp::sim
