// .NET's named pipes, in processes of .NET on both sides: this one becomes one of them.
#include <fcntl.h>
#include <unistd.h>

#include <cstdlib>
#include <string>
#include <vector>

#include "contender.hpp"

namespace bench {
namespace {

constexpr const char* program = TWINPIPE_BENCH_DOTNET;

std::string word_of(workload what) {
  switch (what) {
    case workload::round_trip:
      return "round_trip";
    case workload::stream:
      return "stream";
    case workload::queued:
      return "queued";
    case workload::connect:
      return "connect";
  }
  give_up("an unknown workload");
}

void keep_open(int number) {
  if (number >= 0 && ::fcntl(number, F_SETFD, 0) != 0) give_up_errno("fcntl");
}

[[noreturn]] void become(const char* role, const char* manner, const session& s) {
  const job& work = s.work();
  keep_open(s.wires().listening);
  keep_open(s.wires().report);
  std::vector<std::string> words{"dotnet",
                                 program,
                                 role,
                                 manner,
                                 word_of(work.what),
                                 std::to_string(work.size),
                                 std::to_string(work.warm),
                                 std::to_string(work.count),
                                 work.verify ? "1" : "0",
                                 work.path,
                                 std::to_string(s.wires().listening),
                                 std::to_string(s.wires().report)};
  std::vector<char*> pointers;
  for (std::string& word : words) pointers.push_back(word.data());
  pointers.push_back(nullptr);
  // Methods that are called often are compiled well at once, not after a pause: the same code, only sooner.
  ::setenv("DOTNET_TC_CallCountingDelayMs", "0", 1);
  ::execvp(pointers[0], pointers.data());
  give_up_errno("dotnet");
}

constexpr contender by_dotnet[] = {
    {"dotnet.sync", [](session& s) { become("serve", "sync", s); },
     [](session& s) { become("ask", "sync", s); }},
    {"dotnet.async", [](session& s) { become("serve", "async", s); },
     [](session& s) { become("ask", "async", s); }},
};

}  // namespace

std::span<const contender> dotnet_contenders() {
  if (::access(program, R_OK) != 0) return {};
  return by_dotnet;
}

}  // namespace bench
