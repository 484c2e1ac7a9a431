// What proc(5) says of threads.
#include "stillness.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <array>
#include <charconv>
#include <chrono>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>

namespace tp::test::parity::api {

namespace {

using counts = std::vector<std::uint64_t>;

/// /proc/PID/task/TID/status; empty if the thread is gone.
std::string_view status_of(const std::string& task, std::array<char, 4096>& into) {
  const int file = ::open((task + "/status").c_str(), O_RDONLY | O_CLOEXEC);
  if (file < 0) return {};
  const ssize_t n = ::read(file, into.data(), into.size());
  ::close(file);
  return {into.data(), n > 0 ? static_cast<std::size_t>(n) : 0};
}

std::uint64_t number_behind(std::string_view text, std::string_view label) {
  const auto at = text.find(label);
  if (at == std::string_view::npos) return 0;
  std::uint64_t value = 0;
  const std::string_view rest = text.substr(text.find_first_not_of(" \t", at + label.size()));
  std::from_chars(rest.data(), rest.data() + rest.size(), value);
  return value;
}

/// How often each thread has been taken off its processor; none: some thread could run. A thread that was
/// woken shows as running before the call that has woken it returns.
std::optional<counts> asleep(const std::vector<int>& pids) {
  counts seen;
  std::array<char, 4096> room{};
  for (const int pid : pids) {
    std::error_code gone;
    std::filesystem::directory_iterator task("/proc/" + std::to_string(pid) + "/task", gone);
    for (; !gone && task != std::filesystem::directory_iterator(); task.increment(gone)) {
      const std::string_view status = status_of(task->path().string(), room);
      if (status.empty()) return std::nullopt;
      if (!status.contains("\nState:\tS")) return std::nullopt;
      seen.push_back(number_behind(status, "\nPid:"));
      seen.push_back(number_behind(status, "\nvoluntary_ctxt_switches:"));
      seen.push_back(number_behind(status, "\nnonvoluntary_ctxt_switches:"));
    }
  }
  return seen;
}

}  // namespace

// Between two looks that see the same, all slept at one time, so nobody was left to wake anybody.
bool wait_for_stillness(const std::vector<int>& pids) {
  const auto enough = std::chrono::steady_clock::now() + std::chrono::seconds(20);
  std::optional<counts> before;
  while (std::chrono::steady_clock::now() < enough) {
    std::optional<counts> now = asleep(pids);
    if (now && now == before) return true;
    if (!now) ::usleep(20);
    before = std::move(now);
  }
  return false;
}

}  // namespace tp::test::parity::api
