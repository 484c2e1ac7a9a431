// Conversations in which everything happens at random: whatever comes, each operation ends once, and the
// messages on the wire and in the application are exactly those that were promised.
#include <catch2/catch.hpp>
#include <catch2/trompeloeil.hpp>

#include "core_rig.hpp"

using namespace tp;
using namespace tp::test;
using namespace std::chrono_literals;

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
  // A send that succeeded is on the wire, whole and in its place, and no other is; of those that never began
  // there is nothing.
  void check_written() {
    std::vector<byte_vector> promised;
    for (std::size_t i = 0; i < sends_.size(); ++i) {
      const errc code = sends_[i].code();
      if (code == errc::none) promised.push_back(payloads_[i]);
      CHECK((code == errc::none || code == errc::cancelled || code == errc::queue_full ||
             code == errc::closed));
    }
    CHECK(whole_messages(stream_.written) == promised);
    CHECK(promised.size() <= sends_.size());
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
