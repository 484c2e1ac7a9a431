// Blocking calls of a script: threads of the process, whichever twin it is of. That the call has come as far
// as it can is the sides' business, see side::settle().
#include "support/thread_call.hpp"

#include <algorithm>
#include <utility>
#include <vector>

#include "twinpipe/detail/killed.hpp"
#include "words.hpp"

namespace tp::test {

struct thread_call::caller {
  std::unique_ptr<backend::thread> thread;
};

namespace {

struct waiting_call {
  const thread_call* call;
  const runtime* home;
  std::coroutine_handle<> waiter;
};
/// Calls are started and taken by one thread of the program.
std::vector<waiting_call> all_waiting;

}  // namespace

thread_call::thread_call(runtime& home) noexcept : home_(home) {}
thread_call::~thread_call() = default;

void thread_call::finish() {
  std::erase_if(all_waiting, [this](const waiting_call& each) { return each.call == this; });
  caller_.reset();
}

// Who waits finishes the thread before it goes on.
void thread_call::start(std::coroutine_handle<> waiter) {
  caller_ = std::make_unique<caller>();
  all_waiting.push_back({this, &home_, waiter});
  auto started = home_.owner().twin().threads().start_thread("call", [this, waiter] {
    try {
      make();
    } catch (const detail::process_killed&) {
      return;
    }
    home_.post([waiter] { waiter.resume(); });
  });
  caller_->thread = std::move(*started);
}

void parity::api::resume_killed(runtime& home) {
  while (true) {
    const auto next = std::ranges::find(std::as_const(all_waiting), &home, &waiting_call::home);
    if (next == all_waiting.end()) return;
    next->waiter.resume();
  }
}

}  // namespace tp::test
