// Time and errors.
#include <algorithm>
#include <array>

#include "conformance/cases_support.hpp"

namespace tp::conformance {

CONFORMANCE_CASE("time stands still within a turn", needs()) {
  const int looks = w.under_faults() ? 1'000 : 100'000;
  w.party("alone", [looks](party& p) -> task<void> {
    co_await p.sleep(1ms);  // from here on this runs inside turns
    for (int round = 0; round < 3; ++round) {
      const time_point turn = p.rt().now(), start = p.self().now();
      // A real clock moves on meanwhile; a simulated one has no reason to.
      for (int i = 0; i < looks && p.self().now() - start < 2ms; ++i) {
      }
      EXPECT(p, p.rt().now() == turn);
      co_await p.sleep(5ms);
      EXPECT(p, p.rt().now() >= turn + 5ms);
    }
  });
  w.run();
}

CONFORMANCE_CASE("a sleep ends no earlier than asked", needs()) {
  w.party("alone", [](party& p) -> task<void> {
    time_point last = p.self().now();
    constexpr std::array<duration, 5> durations{0ms, -5ms, 1ms, 12ms, 1ns};
    for (const duration d : durations) {
      const time_point asked = p.rt().now();
      co_await p.sleep(d);
      EXPECT(p, p.rt().now() >= asked + std::max(d, duration::zero()));
      EXPECT(p, p.self().now() >= last);
      last = p.self().now();
    }
    const time_point asked = p.rt().now();
    const auto cut = co_await p.rt().sleep(10s).within(10ms).unless(p.stop());
    p.refusal(cut, errc::timed_out);
    EXPECT(p, p.rt().now() >= asked + 10ms);
  });
  w.run();
}

CONFORMANCE_CASE("failures have the same codes and readable messages everywhere", needs()) {
  w.party("alone", [&](party& p) -> task<void> {
    const auto readable = [&](const error& e, operation what, std::string_view about) {
      const std::string text = e.message();
      EXPECT(p, e.what_failed() == what);
      EXPECT(p, text.find(about) != std::string::npos);
      EXPECT(p, text.size() > 20 && text.size() < 1000);
      EXPECT(p, std::ranges::none_of(text, [](char c) { return c < ' ' || c > '~'; }));
      EXPECT(p, to_string(e.code()) != "none" && text.find(to_string(what)) == 0);
    };
    const endpoint served = p.bind("taken");
    listener door = p.listen(served);
    readable(p.refusal(p.try_bind("taken"), errc::name_in_use), operation::bind, "taken");
    readable(p.refusal(p.try_bind("a/b"), errc::invalid_name), operation::bind, "a/b");
    readable(p.refusal(co_await p.try_connect("absent"), errc::not_found), operation::connect, "absent");
    const auto nobody = co_await door.accept().within(1ms).unless(p.stop());
    readable(p.refusal(nobody, errc::timed_out), operation::accept, "taken");
    const std::string missing = w.files_directory() + "/missing";
    const auto read = p.rt().files().read(missing, 10);
    readable(p.refusal(read, errc::not_found), operation::read_file, missing);
    EXPECT(p, read.error().message().find("server") == std::string::npos);
    const auto opened = p.rt().files().open_directory(missing);
    readable(p.refusal(opened, errc::not_found), operation::open_directory, missing);
  });
  w.run();
}

}  // namespace tp::conformance
