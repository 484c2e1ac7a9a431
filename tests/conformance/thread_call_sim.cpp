// Threads of the memory twin that make one blocking call.
#include <memory>

#include "conformance/fixture_sim.hpp"
#include "support/thread_call.hpp"
#include "twinpipe/process.hpp"

namespace tp::test {

struct thread_call::caller {
  std::unique_ptr<backend::event> returned;
  std::unique_ptr<backend::thread> thread;
};

thread_call::thread_call(runtime& home) noexcept : home_(home) {}
thread_call::~thread_call() = default;

void thread_call::finish() {
  caller_.reset();
}

// Time passes only when nobody can go on: a call that hasn't returned by then waits.
void thread_call::start(std::coroutine_handle<> waiter) {
  backend::threads& own = conformance::threads_of(home_.owner());
  caller_ = std::make_unique<caller>(caller{own.make_event(), nullptr});
  backend::event& returned = *caller_->returned;
  caller_->thread = std::move(*own.start_thread("call", [this, waiter, &returned] {
    make();
    returned.set();
    home_.post([waiter] { waiter.resume(); });  // the waiter finishes this thread before it goes on
  }));
  returned.wait(own.now() + std::chrono::nanoseconds(1));
}

}  // namespace tp::test
