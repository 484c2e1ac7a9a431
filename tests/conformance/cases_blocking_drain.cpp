// Blocking connections: who answers a peer that drains.
#include <algorithm>
#include <atomic>
#include <deque>

#include "conformance/cases_blocking_support.hpp"

namespace tp::conformance {

namespace {

task<void> drain_in_time(party& p, connection& c, std::atomic<bool>& done) {
  p.value(co_await p.bounded(c.drain()));
  done = true;
}

/// The confirmation travels behind the peer's data, so somebody has to receive it; and to its end, for the
/// peer may be sending more when the confirmation comes.
task<void> receive_to_end(party& p, connection& from) {
  static_cast<void>(co_await receive_rest(p, from));
}

/// So many bytes; of a message or of several.
void receive_parts(party& p, blocking::connection& from, std::size_t count) {
  std::string into(std::size_t{16} << 10, '\0');
  while (count > 0) {
    const auto part = std::as_writable_bytes(std::span(into)).first(std::min(count, into.size()));
    const received got = p.value(from.receive(part, patient(p)));
    EXPECT(p, !got.end);
    count -= got.bytes;
  }
}

/// First so many bytes, then a little at a time until it is set. What came.
std::size_t receive_slowly(party& p, blocking::connection& from, std::size_t at_first, const flag& set) {
  receive_parts(p, from, at_first);
  constexpr std::size_t little = 256;
  std::size_t came = at_first;
  wait_until(p, [&] {
    if (set.is_set()) return true;
    receive_parts(p, from, little);
    came += little;
    return false;
  });
  return came;
}

/// Nothing comes but answers, and at last the end.
void receive_until(party& p, blocking::connection& from, flag& done) {
  while (!done.is_set()) {
    buffer b;
    const auto got = from.receive(b, briefly(p, 5ms));
    if (!got) p.refusal(got, errc::timed_out);
    if (!got) continue;
    EXPECT(p, got->end);
    p.self().sleep(1ms);
  }
}

}  // namespace

CONFORMANCE_CASE("a drain is confirmed from the next call of a peer that blocks",
                 needs(capability::blocking_streams)) {
  std::deque<flag> flags;
  for (const pair_options& how : {framed_bytes(), messages()}) {
    flag &got_it = flags.emplace_back(w), &in_vain = flags.emplace_back(w);
    const auto here = std::make_shared<meeting>(w, how);
    awaiting_server(w, here, [&](party& p, connection& c) -> task<void> {
      co_await p.send(c, "for you");
      co_await p.wait(got_it);
      p.refusal(co_await c.drain().within(10ms).unless(p.stop()), errc::timed_out);
      in_vain.set();
      p.value(co_await p.bounded(c.drain()));
    });
    blocking_client(w, here, [&](party& p, blocking::connection& c) {
      EXPECT(p, receive_now(p, c, 7) == "for you");
      got_it.set();
      wait_until(p, in_vain);
      EXPECT(p, receive_rest_now(p, c).empty());
    });
  }
  w.run();
}

CONFORMANCE_CASE("a program that only sends confirms what it has received",
                 needs(capability::blocking_streams)) {
  std::deque<flag> flags;
  std::deque<std::atomic<bool>> answers;
  for (const pair_options& how : {framed_bytes(), messages()}) {
    flag& got_it = flags.emplace_back(w);
    std::atomic<bool>& drained = answers.emplace_back(false);
    const auto here = std::make_shared<meeting>(w, how);
    awaiting_server(w, here, [&](party& p, connection& c) -> task<void> {
      co_await p.send(c, "for you");
      co_await p.wait(got_it);
      co_await p.beside(drain_in_time(p, c, drained), receive_to_end(p, c));
    });
    blocking_client(w, here, [&](party& p, blocking::connection& c) {
      EXPECT(p, receive_now(p, c, 7) == "for you");
      got_it.set();
      wait_until(p, [&] {
        if (!drained) send_now(p, c, "sample");
        return drained.load();
      });
    });
  }
  w.run();
}

CONFORMANCE_CASE("a thread that waits in a send answers the peer's drain",
                 needs(capability::blocking_streams, capability::threads)) {
  const std::string large = pattern(more_than_fits(w));
  std::deque<flag> flags;
  for (const pair_options& how : {framed_bytes(), messages()}) {
    for (const bool stoppable : {true, false}) {
      flag &got_it = flags.emplace_back(w), &confirmed = flags.emplace_back(w);
      const auto here = std::make_shared<meeting>(w, how);
      blocking_server(w, here, [&, stoppable](party& p, blocking::connection& c) {
        send_now(p, c, "for you");
        wait_until(p, got_it);
        p.refusal(c.drain(briefly(p, 10ms)), errc::timed_out);  // the question is on its way
        const auto drains = [&] {
          p.value(c.drain(patient(p)));
          confirmed.set();
        };
        const auto receives = [&] {
          // A send that can be stopped goes in pieces, and the answer between them: before its end.
          const std::size_t ahead = stoppable ? receive_slowly(p, c, w.pipe_capacity(), confirmed) : 0;
          EXPECT(p, ahead < large.size());
          receive_parts(p, c, large.size() - ahead);
        };
        run_threads(p, {drains, receives});
      });
      blocking_client(w, here, [&, stoppable](party& p, blocking::connection& c) {
        EXPECT(p, receive_now(p, c, 7) == "for you");
        got_it.set();
        const auto sent = c.send(large, {.unless = stoppable ? p.stop() : std::stop_token()});
        EXPECT(p, p.value<std::size_t>(sent) == large.size());
        // Short writes may end with the pipe full; then the answer waits for the next call.
        if (w.short_io()) p.value(c.close(patient(p)));
      });
    }
  }
  w.run();
}

CONFORMANCE_CASE("two sides whose sends wait and that drain do not wait for each other",
                 needs(capability::blocking_streams, capability::threads)) {
  const std::string large = pattern(more_than_fits(w));
  std::deque<flag> flags;
  for (const pair_options& how : {framed_bytes(), messages()}) {
    flag &one = flags.emplace_back(w), &other = flags.emplace_back(w);
    const auto side = [&](flag& mine, flag& theirs) {
      return [&](party& p, blocking::connection& c) {
        const auto drains = [&] {
          p.self().sleep(10ms);  // behind the send
          p.value(c.drain(patient(p)));
          mine.set();
        };
        const auto receives = [&] {
          p.self().sleep(20ms);
          EXPECT(p, receive_now(p, c, large.size()) == large);
          receive_until(p, c, mine);
          receive_until(p, c, theirs);  // a drain is confirmed by somebody who calls
        };
        run_threads(p, {[&] { send_now(p, c, large); }, drains, receives});
      };
    };
    const auto here = std::make_shared<meeting>(w, how);
    blocking_server(w, here, side(one, other));
    blocking_client(w, here, side(other, one));
  }
  w.run();
}

}  // namespace tp::conformance
