// The benchmarks' program; scripts/bench calls it. Its commands:
//   list                                     the contenders
//   run WHO WORKLOAD SIZE WARM COUNT CORES   one measurement by two processes; prints the figures as JSON
//   alone WHO WORKLOAD SIZE COUNT            both sides in one process, for counting; prints nothing
//   idle MANNER CONNECTIONS                  the memory of idle connections (twin|blocking.byte|message);
//   JSON rest sleep|adaptive MILLISECONDS         the CPU time of a connection at rest; prints JSON smoke all
//   contenders and workloads for a moment, each byte compared;
//                                            then all of idle and rest
#include <sys/wait.h>
#include <unistd.h>

#include <charconv>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <string_view>
#include <vector>

#include "idle.hpp"
#include "pair.hpp"
#include "rest.hpp"

namespace bench {
namespace {

constexpr struct {
  std::string_view name;
  workload what;
} workloads[] = {
    {"round_trip", workload::round_trip},
    {"stream", workload::stream},
    {"queued", workload::queued},
    {"connect", workload::connect},
};

workload workload_named(std::string_view name) {
  for (const auto& each : workloads)
    if (each.name == name) return each.what;
  give_up("no workload is called " + std::string(name));
}

std::uint64_t number(const std::string& word, std::uint64_t least = 1) {
  std::uint64_t value = 0;
  const auto [end, code] = std::from_chars(word.data(), word.data() + word.size(), value);
  if (code != std::errc() || end != word.data() + word.size() || value < least)
    give_up("not a number of " + std::to_string(least) + " or more: " + word);
  return value;
}

/// A directory that no other user can reach, which goes with its socket.
class private_directory {
 public:
  private_directory() {
    if (::mkdtemp(name_) == nullptr) give_up_errno("mkdtemp");
  }
  private_directory(const private_directory&) = delete;
  private_directory& operator=(const private_directory&) = delete;
  ~private_directory() {
    clear();
    ::rmdir(name_);
  }
  [[nodiscard]] std::string socket() const { return std::string(name_) + "/socket"; }
  void clear() const {
    ::unlink(socket().c_str());
    ::unlink((socket() + ".lock").c_str());
  }

 private:
  char name_[32] = "/tmp/twinpipe-bench-XXXXXX";
};

void print(const pair_report& got) {
  std::printf(
      R"({"server_cpu_ns": %llu, "client_cpu_ns": %llu, "wall_ns": %llu, "median_ns": %llu, "p99_ns": %llu})"
      "\n",
      static_cast<unsigned long long>(got.server.cpu_ns), static_cast<unsigned long long>(got.client.cpu_ns),
      static_cast<unsigned long long>(got.client.wall_ns),
      static_cast<unsigned long long>(got.client.median_ns),
      static_cast<unsigned long long>(got.client.p99_ns));
}

int run_one(const std::vector<std::string>& words) {
  const private_directory place;
  job work;
  work.what = workload_named(words[1]);
  work.size = number(words[2]);
  work.warm = number(words[3], 0);
  work.count = number(words[4]);
  work.path = place.socket();
  if (words[5] != "1" && words[5] != "2") give_up("it takes one core or two, not " + words[5]);
  const auto got = run_pair(contender_named(words[0]), work, words[5] == "1" ? 1 : 2);
  if (!got) return 1;
  print(*got);
  return 0;
}

int run_alone(const std::vector<std::string>& words) {
  const contender& who = contender_named(words[0]);
  if (who.alone == nullptr) give_up(words[0] + " needs two processes");
  const private_directory place;
  job work;
  work.what = workload_named(words[1]);
  work.size = number(words[2]);
  work.count = number(words[3]);
  work.timed = false;
  work.path = place.socket();
  session server(work, session::side::server, {});
  session client(work, session::side::client, {});
  who.alone(server, client);
  return 0;
}

idle_manner manner_named(std::string_view name) {
  if (name == "twin.byte") return {};
  if (name == "twin.message") return {.messages = true};
  if (name == "blocking.byte") return {.blocking = true};
  if (name == "blocking.message") return {.messages = true, .blocking = true};
  give_up("no manner is called " + std::string(name));
}

int idle(const std::vector<std::string>& words) {
  const private_directory place;
  return run_idle(manner_named(words[0]), number(words[1]), place.socket());
}

int rest(const std::vector<std::string>& words) {
  if (words[0] != "sleep" && words[0] != "adaptive") give_up("no wait is called " + words[0]);
  const private_directory place;
  const auto wait = words[0] == "sleep" ? tp::wait_strategy::sleep : tp::wait_strategy::adaptive;
  return run_rest(wait, number(words[1]), place.socket());
}

bool moment_of(const contender& who, workload what, std::size_t size) {
  const private_directory place;
  const job work{.what = what, .size = size, .warm = 2, .count = 20, .verify = true, .path = place.socket()};
  return run_pair(who, work, 0).has_value();
}

// In a process of its own: what a side changes in its own stays there.
bool works_in_child(int (*run)(const std::vector<std::string>&), const std::vector<std::string>& words) {
  const pid_t child = ::fork();
  if (child < 0) give_up_errno("fork");
  if (child == 0) ::_exit(run(words));
  int status = 0;
  return ::waitpid(child, &status, 0) == child && status == 0;
}

int smoke(const std::vector<std::string>&) {
  int passed = 0, failed = 0;
  const auto note = [&](bool good, const std::string& what) {
    ++(good ? passed : failed);
    if (!good) std::fprintf(stderr, "failed: %s\n", what.c_str());
  };
  for (const contender& who : contenders()) {
    for (const auto& each : workloads) {
      for (const std::size_t size : {std::size_t{1}, std::size_t{64}, std::size_t{100'000}}) {
        if (size != 64 && who.name.starts_with("dotnet")) continue;  // it takes a while to start
        note(moment_of(who, each.what, size),
             std::string(who.name) + " " + std::string(each.name) + " " + std::to_string(size));
      }
    }
  }
  for (const char* const manner : {"twin.byte", "twin.message", "blocking.byte", "blocking.message"})
    note(works_in_child(idle, {manner, "20"}), std::string("idle ") + manner);
  for (const char* const wait : {"sleep", "adaptive"})
    note(works_in_child(rest, {wait, "1"}), std::string("rest ") + wait);
  std::printf("%d passed, %d failed, 0 skipped\n", passed, failed);
  return failed == 0 ? 0 : 1;
}

int list(const std::vector<std::string>&) {
  for (const contender& who : contenders()) std::printf("%s\n", std::string(who.name).c_str());
  return 0;
}

struct command {
  std::string_view name;
  std::string_view words;
  std::size_t count;
  int (*run)(const std::vector<std::string>& words);
};

constexpr command commands[] = {
    {"list", "", 0, list},
    {"run", "WHO WORKLOAD SIZE WARM COUNT CORES", 6, run_one},
    {"alone", "WHO WORKLOAD SIZE COUNT", 4, run_alone},
    {"idle", "twin.byte|twin.message|blocking.byte|blocking.message CONNECTIONS", 2, idle},
    {"rest", "sleep|adaptive MILLISECONDS", 2, rest},
    {"smoke", "", 0, smoke},
};

int main_of(const std::vector<std::string>& words) {
  for (const command& each : commands)
    if (words.size() == each.count + 1 && words[0] == each.name)
      return each.run({words.begin() + 1, words.end()});
  for (const command& each : commands)
    std::fprintf(stderr, "twinpipe_bench %s %s\n", std::string(each.name).c_str(),
                 std::string(each.words).c_str());
  return 2;
}

}  // namespace
}  // namespace bench

int main(int argc, char** argv) {
  return bench::main_of({argv + 1, argv + argc});
}
