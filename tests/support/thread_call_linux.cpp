// Threads that make one blocking call, and whether they wait in the kernel.
#include "support/thread_call.hpp"

#include <fcntl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <condition_variable>
#include <cstdlib>
#include <mutex>
#include <string>
#include <thread>

namespace tp::test {
namespace {

using namespace std::chrono_literals;

// What a call of the library waits in for its peer. Not a futex: that may be any lock on the way there.
constexpr long waits[] = {SYS_read,   SYS_poll,    SYS_ppoll,      SYS_recvfrom,    SYS_recvmsg,
                          SYS_sendto, SYS_sendmsg, SYS_epoll_wait, SYS_epoll_pwait, SYS_clock_nanosleep};

// proc(5), /proc/PID/syscall: the number of the system call in which the task sleeps, or "running". Other
// users than root can't read it once a thread of this program has changed its credentials.
class task_watch {
 public:
  explicit task_watch(int task) noexcept
      : file_(
            ::open(("/proc/self/task/" + std::to_string(task) + "/syscall").c_str(), O_RDONLY | O_CLOEXEC)) {}
  task_watch(const task_watch&) = delete;
  task_watch& operator=(const task_watch&) = delete;
  ~task_watch() {
    if (file_ >= 0) ::close(file_);
  }

  [[nodiscard]] bool readable() const noexcept { return file_ >= 0; }
  [[nodiscard]] bool waits_in_kernel() const noexcept {
    std::array<char, 64> line{};
    if (::pread(file_, line.data(), line.size() - 1, 0) <= 0) return false;
    char* end = nullptr;
    const long number = std::strtol(line.data(), &end, 10);
    return end != line.data() && std::ranges::find(waits, number) != std::end(waits);
  }

 private:
  const int file_;
};

}  // namespace

struct thread_call::caller {
  explicit caller(std::function<void()> call) : thread([this, call = std::move(call)] { run(call); }) {
    let_it_begin();
  }

  void run(const std::function<void()>& call);
  void let_it_begin();

  std::mutex lock;
  std::condition_variable changed;
  int task = 0;           ///< guarded; the kernel's number of the thread
  bool returned = false;  ///< guarded
  std::jthread thread;    ///< has the user's credentials of the thread that started it
};

thread_call::thread_call(runtime& home) noexcept : home_(home) {}
thread_call::~thread_call() = default;

void thread_call::finish() {
  caller_.reset();
}

// The waiter finishes this thread before it goes on.
void thread_call::start(std::coroutine_handle<> waiter) {
  caller_ = std::make_unique<caller>([this, waiter] {
    make();
    home_.post([waiter] { waiter.resume(); });
  });
}

void thread_call::caller::run(const std::function<void()>& call) {
  {
    const std::lock_guard held(lock);
    task = static_cast<int>(::syscall(SYS_gettid));
  }
  changed.notify_one();
  call();
  {
    const std::lock_guard held(lock);
    returned = true;
  }
  changed.notify_one();
}

void thread_call::caller::let_it_begin() {
  std::unique_lock held(lock);
  changed.wait(held, [this] { return task != 0; });
  const task_watch watch(task);
  // Where nobody can see it, enough time passes.
  if (!watch.readable()) {
    changed.wait_for(held, 50ms, [this] { return returned; });
    return;
  }
  const auto enough = std::chrono::steady_clock::now() + 1s;
  for (auto pause = 20us; std::chrono::steady_clock::now() < enough; pause = std::min(2 * pause, 1000us)) {
    if (changed.wait_for(held, pause, [this] { return returned; })) return;
    if (watch.waits_in_kernel()) return;
  }
}

}  // namespace tp::test
