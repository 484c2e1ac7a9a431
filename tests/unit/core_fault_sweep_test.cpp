// A whole conversation in which the n-th call of the stream fails, for every n, and conversations in which
// everything happens at random: whatever comes, each operation ends once, nothing is lost that was promised,
// and nothing stays behind.
#include <catch2/catch.hpp>
#include <catch2/trompeloeil.hpp>

#include "core_rig.hpp"

using namespace tp;
using namespace tp::test;
using namespace std::chrono_literals;

namespace {

using sent = awaited<send_result>;
using got = awaited<result<received>>;
using nothing = awaited<result<void>>;
using closing = awaited<result<delivery>>;

const byte_vector big = pattern(150'000, 1);

/// Sends, receives, drains, half-closes and closes; how many calls of the stream that took. Every operation
/// must end.
int converse(const core::terms& terms, int failing, errc code, when at) {
  core_rig rig;
  played_stream& stream = rig.stream();
  int calls = 0;
  stream.fault = [&](std::string_view) { return ++calls == failing ? code : errc::none; };
  stream.fault_at = at;
  stream.writes.push_back({5, errc::cancelled, when::later});
  stream.drain_answer.at = when::later;
  connection c = rig.connect(stream, terms);
  std::deque<sent> sends(3);
  got receive, again;
  nothing drain, half;
  closing close;
  buffer into;
  rig.go(c.send(big), sends[0]);
  rig.go(c.receive(into), receive);
  rig.go(c.send("small"), sends[1]);
  rig.settle();
  stream.feed(terms.framed ? message_frames(bytes_of("hello")) : bytes_of("hello"));
  rig.settle();
  rig.go(c.drain().within(1s), drain);
  stream.feed(terms.framed ? token_frame(wire::frame_type::drained, 1) : bytes_of("more"));
  rig.settle();
  rig.go(c.send("last"), sends[2]);
  rig.go(c.shutdown(), half);
  rig.go(c.receive(into).within(1s), again);
  rig.pass(2s);
  rig.go(c.close().within(1s), close);
  rig.pass(2s);
  const bool all = sends[0].done() && sends[1].done() && sends[2].done() && receive.done() && drain.done() &&
                   half.done() && again.done() && close.done() && stream.closed;
  if (!all)
    FAIL_CHECK("call " << failing << " failing with " << to_string(code) << " left an operation pending");
  return calls;
}

}  // namespace

TEST_CASE("whichever call of the stream fails, with whatever error, now or later, every operation ends") {
  for (const auto& terms : {core_rig::plain_bytes(), core_rig::framed_bytes(), core_rig::messages()}) {
    const int calls = converse(terms, 0, errc::none, when::now);
    CHECK(calls > 6);
    for (const errc code : {errc::io_error, errc::broken_pipe, errc::connection_reset, errc::no_resources,
                            errc::not_supported}) {
      for (int n = 1; n <= calls; ++n) {
        converse(terms, n, code, when::now);
        converse(terms, n, code, when::later);
      }
    }
  }
}

namespace {

/// A conversation of messages in which everything happens at random.
class storm {
 public:
  explicit storm(std::uint64_t seed)
      : random_(seed), stream_(rig_.stream()), c_(rig_.connect(stream_, core_rig::messages())) {
    rig_.features.exact_write = random_.below(2) == 0;
  }

  void step() {
    switch (random_.below(9)) {
      case 0:
        return send();
      case 1:
        return receive();
      case 2:
        return feed();
      case 3:
        return write_answer();
      case 4:
        if (!stops_.empty()) rig_.user_call([&] { stops_[random_.below(stops_.size())].request_stop(); });
        return;
      case 5:
        if (stream_.writing != nullptr) stream_.finish_write(SIZE_MAX);
        return;
      case 6:
        return rig_.pass(std::chrono::milliseconds(random_.below(300)));
      case 7:
        if (random_.below(4) == 0) rig_.go(c_.drain().within(1s), drains_.emplace_back());
        return;
      default:
        return rig_.settle();
    }
  }

  void end() {
    rig_.user_call([&] { c_.abort(); });
    rig_.settle();
    for (sent& each : sends_) CHECK(each.done());
    for (got& each : receives_) CHECK(each.done());
    for (nothing& each : drains_) CHECK(each.done());
    check_received();
    check_written();
  }

 private:
  void send() {
    if (sends_.size() > 40) return;
    payloads_.push_back(pattern(random_.below(100'000) >> random_.below(17), payloads_.size()));
    stops_.emplace_back();
    rig_.go(c_.send(payloads_.back()).unless(stops_.back().get_token()), sends_.emplace_back());
  }
  void receive() {
    if (!receives_.empty() && !receives_.back().done()) return;
    stops_.emplace_back();
    rig_.go(c_.receive(buffers_.emplace_back()).unless(stops_.back().get_token()), receives_.emplace_back());
  }
  void feed() {
    byte_vector message = message_frames(bytes_of("message " + std::to_string(fed_++)), 1 + random_.below(9));
    if (random_.below(3) == 0) append(message, token_frame(wire::frame_type::ping, 1));
    for (std::span<const std::byte> left = message; !left.empty();) {
      const std::size_t n = 1 + random_.below(left.size());
      stream_.feed({left.begin(), left.begin() + static_cast<std::ptrdiff_t>(n)});
      left = left.subspan(n);
    }
  }
  void write_answer() {
    const when at = random_.below(2) == 0 ? when::later : when::held;
    stream_.writes.push_back({SIZE_MAX, errc::none, at});
    stream_.cancelled_write_takes = random_.below(100'000);
    stream_.cancel_meets_completion = random_.below(3) == 0;
  }
  // Every message that was received is the next of those that were sent, whole.
  void check_received() {
    int next = 0;
    for (std::size_t i = 0; i < receives_.size(); ++i) {
      if (receives_[i]->has_value()) CHECK(buffers_[i].text() == "message " + std::to_string(next++));
    }
  }
  // Whole messages on the wire are those whose send succeeded, in order, unless the last was cut off.
  void check_written() {
    byte_vector message;
    std::size_t at = 0;
    for (const plain_frame& each : take_apart(stream_.written).frames) {
      if (each.type == 7) message.clear();
      if (each.type != 0) continue;
      append(message, each.payload);
      if (each.flags != 0) continue;
      while (at < sends_.size() && !(message == payloads_[at])) ++at;
      if (at++ >= sends_.size()) FAIL_CHECK("a message on the wire that nobody sent");
      message.clear();
    }
  }

  generator random_;
  core_rig rig_;
  played_stream& stream_;
  connection c_;
  std::deque<byte_vector> payloads_;
  std::deque<buffer> buffers_;
  std::deque<sent> sends_;
  std::deque<got> receives_;
  std::deque<nothing> drains_;
  std::deque<std::stop_source> stops_;
  int fed_ = 0;
};

}  // namespace

TEST_CASE(
    "in any order of calls, completions, stops and time each operation ends once and no message is lost or "
    "mixed") {
  for (std::uint64_t seed = 1; seed <= 80; ++seed) {
    CAPTURE(seed);
    storm now(seed);
    for (int i = 0; i < 150; ++i) now.step();
    now.end();
  }
}
