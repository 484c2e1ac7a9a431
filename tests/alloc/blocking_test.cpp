// In the steady state blocking calls allocate nothing: two threads, each with its side of a connection.
#include <array>
#include <catch2/catch.hpp>

#include "alloc/counter.hpp"
#include "alloc/traffic.hpp"
#include "fatal.hpp"
#include "process.hpp"
#include "support/skip.hpp"
#include "twinpipe/blocking.hpp"

using namespace tp;
using namespace tp::test;
using namespace std::chrono_literals;

namespace {

/// The calls of this program must not fail.
template <class Result>
auto must(Result outcome) {
  if (!outcome) detail::fatal(outcome.error().message());
  if constexpr (!std::is_void_v<typename Result::value_type>) return std::move(*outcome);
}

/// A side's calls, and what each is bounded by.
struct caller {
  blocking::connection on;
  blocking::limits how;

  void send(std::span<const std::byte> bytes) { must(on.send(bytes, how)); }
  void fill(std::span<std::byte> into) {
    while (!into.empty()) into = into.subspan(must(on.receive(into, how)).bytes);
  }
  void fill(buffer& into, std::size_t size) {
    for (std::size_t got = 0; got < size; got += into.size()) must(on.receive(into, how));
  }
};

/// What goes to and fro, and how.
struct habit {
  const char* name;
  std::size_t size = 64;
  bool buffered = false;
  bool deadline = false;
  bool stop = false;
};
constexpr habit habits[] = {
    {"64 bytes"},
    {"64 KiB", 65536},
    {"64 bytes into a buffer", 64, true},
    {"64 KiB into a buffer", 65536, true},
    {"64 bytes with a deadline", 64, false, true},
    {"64 bytes with a stop token", 64, false, false, true},
    {"64 bytes into a buffer, with a deadline and a stop token", 64, true, true, true},
    {"64 KiB with a deadline and a stop token", 65536, false, true, true},
};

void exchange(caller& here, meter& rounds, const habit& what, bool begins) {
  std::vector<std::byte> bytes(what.size);
  buffer into;
  while (rounds.next()) {
    if (begins) here.send(bytes);
    what.buffered ? here.fill(into, what.size) : here.fill(bytes);
    if (!begins) here.send(bytes);
  }
}

long allocations_of(process& self, const arrangement& over, const habit& what) {
  const std::stop_source source;
  blocking::limits how;
  if (what.deadline) how.within = 10s;
  if (what.stop) how.unless = source.get_token();
  const meter rounds = what.size > 1000 ? meter(20, 100) : meter(100, 2000);
  const endpoint at = must(self.bind("counted", options_of_server(over)));
  auto door = must(blocking::listen(self, at));
  must(self.start_thread("server", [&, own = rounds](thread&) mutable {
    caller peer{must(door.accept({.within = 10s})), how};
    exchange(peer, own, what, false);
    return 0;
  }));
  caller server{must(blocking::connect(self, "counted", options_of_client(over), {.within = 10s})), how};
  meter own = rounds;
  exchange(server, own, what, true);
  static_cast<void>(self.join());
  return own.result();
}

}  // namespace

TEST_CASE("in the steady state no blocking send or receive allocates anything") {
  if (!counts_allocations()) return skip("counts allocations, and this build has an allocator of its own");
  const auto twin = platform::make_process();
  REQUIRE(twin);
  for (const arrangement& over : arrangements) {
    for (const habit& what : habits) {
      process self(**twin);
      CAPTURE(over.name, what.name);
      CHECK(allocations_of(self, over, what) == 0);
    }
  }
}
