// The benchmarks' program; scripts/bench calls it. Its commands:
//   list                                     the contenders
//   run WHO WORKLOAD SIZE WARM COUNT CORES   one measurement by two processes; prints the figures as JSON
//   alone WHO WORKLOAD SIZE COUNT            both sides on one thread, for counting; prints nothing
//   idle byte|message CONNECTIONS            what an idle connection costs; prints JSON
//   smoke                                    all contenders and workloads for a moment, each byte compared
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <string>
#include <string_view>
#include <vector>

#include "idle.hpp"
#include "pair.hpp"

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
  work.size = std::stoull(words[2]);
  work.warm = std::stoull(words[3]);
  work.count = std::stoull(words[4]);
  work.path = place.socket();
  const auto got = run_pair(contender_named(words[0]), work, std::stoi(words[5]));
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
  work.size = std::stoull(words[2]);
  work.count = std::stoull(words[3]);
  work.timed = false;
  work.path = place.socket();
  session server(work, session::side::server, {});
  session client(work, session::side::client, {});
  who.alone(server, client);
  return 0;
}

int idle(const std::vector<std::string>& words) {
  const private_directory place;
  return run_idle(words[0] == "message", std::stoull(words[1]), place.socket());
}

bool moment_of(const contender& who, workload what, std::size_t size) {
  const private_directory place;
  const job work{.what = what, .size = size, .warm = 2, .count = 20, .verify = true, .path = place.socket()};
  return run_pair(who, work, 0).has_value();
}

int smoke(const std::vector<std::string>&) {
  int passed = 0, failed = 0;
  for (const contender& who : contenders()) {
    for (const auto& each : workloads) {
      for (const std::size_t size : {std::size_t{1}, std::size_t{64}, std::size_t{100'000}}) {
        if (size != 64 && who.name.starts_with("dotnet")) continue;  // it takes a while to start
        const bool good = moment_of(who, each.what, size);
        ++(good ? passed : failed);
        if (good) continue;
        std::fprintf(stderr, "failed: %s, %s, %zu bytes\n", std::string(who.name).c_str(),
                     std::string(each.name).c_str(), size);
      }
    }
  }
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
    {"idle", "byte|message CONNECTIONS", 2, idle},
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
