// One measurement by two processes, or a moment of each:
//   twinpipe_bench list                                        the contenders
//   twinpipe_bench run WHO WORKLOAD SIZE WARM COUNT CORES      prints the figures as JSON
//   twinpipe_bench alone WHO WORKLOAD SIZE COUNT               both sides on one thread, for counting; prints
//   nothing twinpipe_bench smoke                                       every contender and workload, a few
//   operations, bytes compared
#include <sys/stat.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <string>
#include <string_view>
#include <vector>

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

bool moment_of(const contender& who, workload what, std::size_t size) {
  const private_directory place;
  const job work{.what = what, .size = size, .warm = 2, .count = 20, .verify = true, .path = place.socket()};
  return run_pair(who, work, 0).has_value();
}

int smoke() {
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

int list() {
  for (const contender& who : contenders()) std::printf("%s\n", std::string(who.name).c_str());
  return 0;
}

}  // namespace
}  // namespace bench

int main(int argc, char** argv) {
  const std::vector<std::string> words(argv + 1, argv + argc);
  if (words.size() == 1 && words[0] == "list") return bench::list();
  if (words.size() == 1 && words[0] == "smoke") return bench::smoke();
  if (words.size() == 7 && words[0] == "run") return bench::run_one({words.begin() + 1, words.end()});
  if (words.size() == 5 && words[0] == "alone") return bench::run_alone({words.begin() + 1, words.end()});
  std::fprintf(stderr,
               "usage: twinpipe_bench list | smoke | alone WHO WORKLOAD SIZE COUNT | run WHO WORKLOAD SIZE "
               "WARM COUNT CORES\n");
  return 2;
}
