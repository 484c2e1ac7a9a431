// What the tests of the blocking stream share: a pair one end of which blocks, and threads that sleep in it.
#pragma once

#include <sys/syscall.h>
#include <unistd.h>

#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <functional>
#include <future>
#include <string>
#include <thread>
#include <utility>

#include "platform_support.hpp"

namespace tp::test {

/// The client blocks, the server is on the rig's loop.
struct blocking_rig : connection_rig {
  blocking_rig() : connection_rig(true) {}
  [[nodiscard]] backend::blocking_stream& blocking() const {
    return static_cast<backend::blocking_stream&>(*client);
  }
};

/// A thread of which one can know that it sleeps.
class sleeper {
 public:
  explicit sleeper(std::function<void()> body)
      : thread_([this, body = std::move(body)] {
          task_ = ::gettid();
          body();
          done_.set_value();
        }) {}

  /// Its state is in /proc. Gives up after a while, which only weakens the test.
  void until_asleep() const {
    for (int i = 0; i < 2000; ++i) {
      std::ifstream stat("/proc/self/task/" + std::to_string(task_) + "/stat");
      std::string line;
      std::getline(stat, line);
      if (line.find(") S ") != std::string::npos) return;
      std::this_thread::sleep_for(1ms);
    }
  }
  void join() {
    if (done_.get_future().wait_for(20s) != std::future_status::ready) {
      std::fputs("a thread of the test is still asleep\n", stderr);
      std::abort();
    }
    thread_.join();
  }
  /// A signal to this thread alone.
  void interrupt(int signal) const { ::syscall(SYS_tgkill, ::getpid(), task_.load(), signal); }

 private:
  std::atomic<pid_t> task_ = 0;
  std::promise<void> done_;
  std::jthread thread_;
};

}  // namespace tp::test
