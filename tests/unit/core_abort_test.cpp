// Mistakes of a program that end it: each aborts with a sentence that says what was wrong.
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <catch2/catch.hpp>
#include <csignal>
#include <string>

#include "twinpipe/task_group.hpp"

using namespace tp;

namespace {

/// What a child process that makes this mistake says on its standard error; empty if it doesn't abort.
std::string last_words(void (*mistake)()) {
  std::array<int, 2> ends{};
  REQUIRE(::pipe(ends.data()) == 0);
  const pid_t child = ::fork();
  if (child == 0) {
    const rlimit no_core{0, 0};
    ::setrlimit(RLIMIT_CORE, &no_core);
    ::signal(SIGABRT, SIG_DFL);  // Catch2 has a handler
    ::dup2(ends[1], STDERR_FILENO);
    mistake();
    ::_exit(0);
  }
  ::close(ends[1]);
  std::string said;
  std::array<char, 512> part{};
  for (ssize_t n = 0; (n = ::read(ends[0], part.data(), part.size())) > 0;)
    said.append(part.data(), static_cast<std::size_t>(n));
  ::close(ends[0]);
  int status = 0;
  REQUIRE(::waitpid(child, &status, 0) == child);
  return WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT ? said : std::string();
}

}  // namespace

TEST_CASE("a task group that is destroyed with tasks inside aborts") {
  const std::string said = last_words([] {
    const auto forever = []() -> task<void> { co_await std::suspend_always(); };
    task_group group;
    group.start(forever());
  });
  CHECK(said.find("a task_group was destroyed while tasks of it were running") != std::string::npos);
  CHECK(last_words([] { const task_group unused; }).empty());
}
