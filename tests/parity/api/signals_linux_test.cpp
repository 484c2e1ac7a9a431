// That the program can be ended from outside at any moment, and leaves nothing.
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <catch2/catch.hpp>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <thread>

#include "support/real_user.hpp"

namespace tp::test::parity::api {

namespace {

/// This program, playing scripts without end, with its directories below that one; in a group of its own.
int start_playing(const std::string& below) {
  const int pid = ::fork();
  if (pid != 0) return pid;
  ::setpgid(0, 0);
  static_cast<void>(std::freopen("/dev/null", "w", stdout));
  ::setenv("TMPDIR", below.c_str(), 1);
  ::setenv("TWINPIPE_PARITY_SCRIPTS", "1000000", 1);
  ::execl("/proc/self/exe", "parity_api_tests", "whatever programs do*", nullptr);
  std::_Exit(127);
}

template <class Condition>
bool comes_true(Condition what) {
  const auto enough = std::chrono::steady_clock::now() + std::chrono::minutes(1);
  while (!what()) {
    if (std::chrono::steady_clock::now() > enough) return false;
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
  return true;
}

/// Is some name bound there, or was it a moment ago?
bool plays(const std::string& below) {
  std::error_code ignored;
  for (const auto& each : std::filesystem::recursive_directory_iterator(below, ignored)) {
    if (each.path().extension() == ".lock") return true;
  }
  return false;
}

/// proc(5): the signals for which a process has a handler.
std::uint64_t caught_by(int pid) {
  std::ifstream status("/proc/" + std::to_string(pid) + "/status");
  for (std::string line; std::getline(status, line);) {
    if (line.starts_with("SigCgt:")) return std::stoull(line.substr(7), nullptr, 16);
  }
  return ~std::uint64_t{0};
}

}  // namespace

TEST_CASE("a signal ends the program at once, its processes with it, and its directories are removed") {
  REQUIRE(::prctl(PR_SET_CHILD_SUBREAPER, 1) == 0);  // whom it leaves behind is ours to wait for
  for (const int signal : {SIGTERM, SIGINT, SIGKILL}) {
    const std::string below = make_private_directory();
    const int program = start_playing(below);
    CHECK(comes_true([&] { return plays(below); }));
    CHECK((caught_by(program) >> (signal - 1) & 1) == 0);
    CHECK(::kill(program, signal) == 0);
    int status = 0;
    CHECK(::waitpid(program, &status, 0) == program);
    CHECK((WIFSIGNALED(status) && WTERMSIG(status) == signal));
    while (::waitpid(-program, nullptr, 0) > 0) {
    }
    CHECK(comes_true([&] { return std::filesystem::is_empty(below); }));
    static_cast<void>(::waitpid(-1, nullptr, WNOHANG));  // who removed it
    remove_directory(below);
  }
  ::prctl(PR_SET_CHILD_SUBREAPER, 0);
}

}  // namespace tp::test::parity::api
