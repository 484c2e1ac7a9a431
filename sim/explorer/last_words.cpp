// What a run says if it ends the whole program.
#include "explorer/last_words.hpp"

#include <atomic>
#include <charconv>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <mutex>

#include "text.hpp"
#include "twinpipe/sim/explore.hpp"

namespace tp::sim {

namespace {

constinit thread_local const last_words* current = nullptr;
constinit std::mutex counting;  // a count and the handler that goes with it change together
constinit int speakers = 0;
std::atomic<void (*)(int)> handled_before = SIG_DFL;

}  // namespace

last_words::last_words(std::function<std::string()> schedule, const std::optional<std::uint64_t>* seed)
    : schedule_(std::move(schedule)), seed_(seed), outer_(current) {
  current = this;
  const std::lock_guard held(counting);
  if (speakers++ == 0) handled_before = std::signal(SIGABRT, speak);
}

last_words::~last_words() {
  current = outer_;
  const std::lock_guard held(counting);
  if (--speakers == 0) std::signal(SIGABRT, handled_before.load());
}

const last_words* last_words::of_this_thread() noexcept {
  return current;
}

std::string last_words::how_to_replay() const {
  return join("  to replay it: TWINPIPE_REPLAY=", schedule_(), " and this test again\n");
}

void last_words::tell_seed(void (*say)(std::string_view) noexcept) const noexcept {
  if (seed_ == nullptr || !*seed_) return;
  const auto number = [&](std::uint64_t n, int base) {
    char digits[20];
    say({digits, std::to_chars(digits, digits + sizeof digits, n, base).ptr});
  };
  say("  to replay it: TWINPIPE_REPLAY=");
  number(schedule_format, 10);
  say("-seed-");
  number(**seed_, 16);
  say(" and this test again\n");
}

// abort() raises it on the thread that failed, so the thread's own run is the one. Whoever handled it before
// goes on.
void last_words::speak(int signal) {
  if (current != nullptr) {
    std::fprintf(
        stderr,
        "twinpipe: the program aborted in a run; to replay it: TWINPIPE_REPLAY=%s and this test again\n",
        current->schedule_().c_str());
  }
  std::signal(signal, handled_before.load());
  std::raise(signal);
}

}  // namespace tp::sim
