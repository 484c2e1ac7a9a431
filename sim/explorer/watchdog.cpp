// Looks at worlds from beside them. One that stands still may go on at any moment: only what a world
// publishes is read.
#include "explorer/watchdog.hpp"

#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <string>
#include <utility>

#include "kernel.hpp"
#include "text.hpp"
#include "trace.hpp"

namespace tp::sim {
namespace {

constinit thread_local watchdog* mine = nullptr;

/// Who looks at a run in a debugger needs no help (proc_pid_status(5); elsewhere nobody knows).
bool is_debugged() {
  std::ifstream status("/proc/self/status");
  for (std::string word; status >> word;) {
    if (word == "TracerPid:") return status >> word && word != "0";
  }
  return false;
}

[[noreturn]] void bark(const world::state& at, duration patience) {
  constexpr std::size_t lines = 20;
  std::string text =
      join("twinpipe: no step of a world in ", patience / std::chrono::milliseconds(1),
           " ms of real time: ", at.label(at.time.running_thread()),
           " blocks the real thread, on which the whole world runs, or goes round without an operation. A "
           "std::mutex that another simulated thread holds, a real sleep, read or join? docs/testing.md says "
           "what to use instead; explore_options::patience is how long a world may stand still\n");
  if (at.time.how_to_replay) text += at.time.how_to_replay();
  std::fputs((text + trace_of(at, lines)).c_str(), stderr);
  std::abort();
}

}  // namespace

watchdog::watchdog(duration patience) : patience_(patience) {
  if (patience_ > duration{}) thread_ = std::thread([this] { look_again_and_again(); });
}

watchdog::~watchdog() {
  if (!thread_.joinable()) return;
  {
    const std::lock_guard held(lock_);
    ends_ = true;
  }
  ended_.notify_one();
  thread_.join();
}

watchdog* watchdog::of_this_thread() noexcept {
  return mine;
}
watchdog::on_duty::on_duty(watchdog& here) noexcept : outer_(mine) {
  mine = &here;
}
watchdog::on_duty::~on_duty() {
  mine = outer_;
}

void watchdog::watch(const std::shared_ptr<const world::state>& what) {
  if (!thread_.joinable()) return;
  const std::lock_guard held(lock_);
  watched_.push_back({what, what->time.steps()});
}

void watchdog::leave(const world::state& what) noexcept {
  if (!thread_.joinable()) return;
  const std::lock_guard held(lock_);
  std::erase_if(watched_, [&](const watched& each) { return each.what.get() == &what; });
}

void watchdog::look_again_and_again() {
  std::unique_lock held(lock_);
  while (!ended_.wait_for(held, patience_ / looks, [this] { return ends_; })) {
    for (watched& each : watched_) {
      const std::uint64_t now = each.what->time.steps();
      if (std::exchange(each.steps, now) != now) each.quiet = 0;
      if (++each.quiet <= looks) continue;
      each.quiet = 0;
      if (!is_debugged()) bark(*each.what, patience_);
    }
  }
}

std::unique_ptr<guard> make_guard(duration patience) {
  /// Its world's thread is on nobody's duty.
  class own_watchdog final : public watchdog {
   public:
    using watchdog::watchdog;

   private:
    const overflow_report overflow_;
  };
  return std::make_unique<own_watchdog>(patience);
}

}  // namespace tp::sim
