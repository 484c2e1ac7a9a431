// Beneath each simulated stack is a page that nobody may touch: who does gets SIGSEGV, on another stack
// (sigaltstack(2)).
#include <signal.h>
#include <unistd.h>

#include <array>
#include <mutex>
#include <string_view>

#include "explorer/last_words.hpp"
#include "explorer/stack_overflow.hpp"
#include "kernel.hpp"

namespace tp::sim {
namespace {

constinit std::mutex installing;  // a count and the handler that goes with it change together
constinit int reports = 0;
struct sigaction handled_before;

// Of what a handler may call there is not much (signal-safety(7)).
void say(std::string_view text) noexcept {
  [[maybe_unused]] const auto written = ::write(STDERR_FILENO, text.data(), text.size());
}

void name_thread(const world::state& at) noexcept {
  say("twinpipe: stack overflow of ");
  say(at.known_threads[at.time.running_thread() - 1].label);
  say(": a simulated thread has less stack than a real one (docs/testing.md). A recursion without end, or a "
      "large array on the stack?\n");
  if (const last_words* const run = last_words::of_this_thread()) run->tell_seed(say);
}

// Afterwards the fault happens again, and is whose it was.
void tell(int, siginfo_t* fault, void*) {
  const world::state* const at = scheduler::running;
  if (at != nullptr && at->time.current().stack.overflows_at(fault->si_addr)) name_thread(*at);
  ::sigaction(SIGSEGV, &handled_before, nullptr);
}

}  // namespace

struct overflow_report::alternate_stack {
  std::array<std::byte, std::size_t{64} << 10U> memory;
};

overflow_report::overflow_report() {
  stack_t known{};
  if (::sigaltstack(nullptr, &known) == 0 && (known.ss_flags & SS_DISABLE) != 0) {
    stack_ = std::make_unique<alternate_stack>();
    const stack_t own{stack_->memory.data(), 0, stack_->memory.size()};
    ::sigaltstack(&own, nullptr);
  }
  const std::lock_guard held(installing);
  if (reports++ > 0) return;
  struct sigaction ours{};
  ours.sa_sigaction = tell;
  ours.sa_flags = SA_SIGINFO | SA_ONSTACK;
  ::sigaction(SIGSEGV, &ours, &handled_before);
}

overflow_report::~overflow_report() {
  {
    const std::lock_guard held(installing);
    if (--reports == 0) ::sigaction(SIGSEGV, &handled_before, nullptr);
  }
  if (stack_ == nullptr) return;
  const stack_t none{nullptr, SS_DISABLE, 0};
  ::sigaltstack(&none, nullptr);
}

}  // namespace tp::sim
