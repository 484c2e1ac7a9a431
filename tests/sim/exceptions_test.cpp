// Exceptions in flight on one simulated thread while others run.
#include <catch2/catch.hpp>
#include <exception>
#include <functional>
#include <stdexcept>
#include <string>

#include "threaded_case.hpp"
#include "twinpipe/sim/explore.hpp"
#include "twinpipe/twinpipe.hpp"

namespace tp::programs {

using namespace std::chrono_literals;

namespace {

/// Waits inside its handler, and throws on what it has caught.
std::string caught_again(process& p, const std::string& own) {
  try {
    try {
      throw std::runtime_error(own);
    } catch (const std::runtime_error&) {
      p.sleep(0ns);
      throw;
    }
  } catch (const std::runtime_error& e) {
    return e.what();
  }
}

/// Waits while it is destroyed, which an exception may be the reason for.
struct slow_end {
  process& p;
  int& in_flight;
  ~slow_end() {
    p.sleep(0ns);
    in_flight = std::uncaught_exceptions();
  }
};

int threads_of(process& p, const std::function<int(thread&)>& each) {
  for (int i = 0; i < 3; ++i) {
    if (auto started = p.start_thread("thrower", each); !started) return p.fail(started.error());
  }
  return p.join();
}

}  // namespace

THREADED_TEST_CASE(
    "a thread that waits inside a handler throws on its own exception, whoever ran meanwhile") {
  sim::explore({.runs = 500}, [](sim::world& world) {
    world.process("app", world.user("alice"), [](process& p) {
      int number = 0;
      return threads_of(p, [&](thread&) {
        const std::string own = std::to_string(++number);
        return caught_again(p, own) == own ? 0 : 1;
      });
    });
  });
}

THREADED_TEST_CASE("a thread that waits while an exception passes counts its own, and others none") {
  sim::explore({.runs = 500}, [](sim::world& world) {
    world.process("app", world.user("alice"), [](process& p) {
      int number = 0;
      return threads_of(p, [&](thread&) {
        const bool throws = ++number == 2;
        int in_flight = -1;
        try {
          const slow_end end{p, in_flight};
          if (throws) throw std::runtime_error("passing");
        } catch (const std::runtime_error&) {
        }
        return in_flight == (throws ? 1 : 0) ? 0 : 1;
      });
    });
  });
}

}  // namespace tp::programs
