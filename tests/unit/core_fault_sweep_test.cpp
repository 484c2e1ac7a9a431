// A whole conversation in which the n-th call of the stream fails, or everything is stopped at it, for every
// n: each operation ends once, with an error that the fault explains, and what follows fits.
#include <catch2/catch.hpp>
#include <catch2/trompeloeil.hpp>

#include "core_rig.hpp"

using namespace tp;
using namespace tp::test;
using namespace std::chrono_literals;

namespace {

const byte_vector big = pattern(150'000, 1);

/// What happens at the n-th call: it fails with the code, or, without one, a stop is requested. 0: nothing.
struct disturbance {
  int at_call = 0;
  errc code = errc::none;
  when at = when::now;
};

/// Sends, receives, drains, half-closes and closes, in that order.
class conversation {
 public:
  conversation(const core::terms& terms, const disturbance& what, when writes = when::now);

  [[nodiscard]] int calls() const { return calls_; }
  /// Each operation has ended; `allowed` are the errors that it may have ended with.
  void check_ends(std::initializer_list<errc> allowed);
  /// What the failed call was about has failed with it, and nothing that needs it works afterwards.
  void check_failed();
  /// Of messages, those are on the wire whole whose send succeeded.
  void check_wire();

 private:
  errc next_call(std::string_view word);
  void proceed();
  void talk();
  void part();

  const core::terms terms_;
  const disturbance what_;
  core_rig rig_;
  played_stream& stream_;
  std::stop_source source_;
  int calls_ = 0;
  std::string hit_;          ///< the call that was disturbed
  std::size_t written_ = 0;  ///< at that moment
  bool hit_while_closing_ = false, hit_before_last_ = false, closing_ = false, last_sent_ = false;
  bool nobody_receives_ = false;  ///< from that moment on
  const byte_vector small_ = bytes_of("small"), last_words_ = bytes_of("last");
  buffer into_;
  sent first_, second_, last_;
  got receive_, again_;
  nothing drain_, half_;
  closing close_;
  std::optional<connection> c_;
};

conversation::conversation(const core::terms& terms, const disturbance& what, when writes)
    : terms_(terms), what_(what), stream_(rig_.stream()) {
  stream_.fault = [this](std::string_view word) { return next_call(word); };
  stream_.fault_at = what.at;
  stream_.writes.push_back({5, errc::cancelled, when::later});
  stream_.write_rest.at = writes;
  stream_.cancelled_write_takes = 7;
  stream_.drain_answer.at = when::later;
  c_ = rig_.connect(stream_, terms);
  talk();
  part();
}

errc conversation::next_call(std::string_view word) {
  if (++calls_ != what_.at_call) return errc::none;
  hit_ = word;
  written_ = stream_.written.size();
  hit_while_closing_ = closing_;
  hit_before_last_ = !last_sent_;
  nobody_receives_ = again_.done();
  if (what_.code == errc::none) source_.request_stop();
  return what_.code;
}

/// Turns until nothing is ready and no write is held.
void conversation::proceed() {
  rig_.settle();
  while (stream_.writing != nullptr) {
    stream_.finish_write(SIZE_MAX);
    rig_.settle();
  }
}

void conversation::talk() {
  const std::stop_token stop = source_.get_token();
  rig_.go(c_->send(big).unless(stop), first_);
  rig_.go(c_->receive(into_).unless(stop), receive_);
  rig_.go(c_->send(small_).unless(stop), second_);
  proceed();
  stream_.feed(terms_.framed ? message_frames(bytes_of("hello")) : bytes_of("hello"));
  proceed();
  rig_.go(c_->drain().within(1s).unless(stop), drain_);
  proceed();
  stream_.feed(terms_.framed ? token_frame(wire::frame_type::drained, 1) : bytes_of("more"));
  proceed();
}

// The last send has no stop token: whatever was stopped before it, the connection goes on.
void conversation::part() {
  last_sent_ = true;
  rig_.go(c_->send(last_words_), last_);
  rig_.go(c_->shutdown().unless(source_.get_token()), half_);
  rig_.go(c_->receive(into_).within(1s).unless(source_.get_token()), again_);
  proceed();
  rig_.pass(2s);
  closing_ = true;
  rig_.go(c_->close().within(1s).unless(source_.get_token()), close_);
  proceed();
  rig_.pass(2s);
}

void conversation::check_ends(std::initializer_list<errc> allowed) {
  const auto check = [&](const char* name, const auto& op) {
    CAPTURE(name, what_.at_call, hit_, to_string(what_.code), to_string(op.code()));
    CHECK(op.done());
    CHECK((op.code() == errc::none || std::ranges::find(allowed, op.code()) != allowed.end()));
  };
  check("the first send", first_);
  check("the second send", second_);
  check("the last send", last_);
  check("the receive", receive_);
  check("the second receive", again_);
  check("the drain", drain_);
  check("the half-close", half_);
  check("the close", close_);
  c_.reset();
  rig_.settle();
  CHECK((stream_.closed && rig_.system->timers() == 0));
}

void conversation::check_failed() {
  CAPTURE(what_.at_call, hit_, to_string(what_.code));
  const errc code = what_.code;
  const auto broken = [&](const auto& op) { return op.code() == code || op.code() == errc::connection_lost; };
  if (hit_ == "write") {
    CHECK(stream_.written.size() == written_);
    if (hit_before_last_) CHECK(broken(last_));
    const bool told = broken(first_) || broken(second_) || broken(drain_) || broken(last_) || broken(half_);
    CHECK((told || hit_while_closing_));
  } else if (hit_ == "read" && !nobody_receives_) {
    const auto saw = [&](got& op) {
      if (code != errc::connection_reset) return op.code() == code;
      return op->has_value() && (*op)->end && (*op)->discarded;
    };
    CHECK((saw(receive_) || saw(again_)));
  } else if (hit_ == "shutdown") {
    CHECK(half_.code() == code);
  } else if (hit_ == "drain" && !hit_while_closing_) {
    CHECK(drain_.code() == (code == errc::connection_reset ? errc::discarded : code));
  }
}

void conversation::check_wire() {
  if (terms_.mode != transmission::message) return;
  std::vector<byte_vector> promised;
  if (first_.code() == errc::none) promised.push_back(big);
  if (second_.code() == errc::none) promised.push_back(small_);
  if (last_.code() == errc::none) promised.push_back(last_words_);
  CHECK(whole_messages(stream_.written) == promised);
}

}  // namespace

TEST_CASE(
    "whichever call of the stream fails, with whatever error, the error is told and nothing follows it") {
  for (const auto& terms : core_rig::all_terms()) {
    const int calls = conversation(terms, {}).calls();
    CHECK(calls > 6);
    for (const errc code : {errc::io_error, errc::broken_pipe, errc::connection_reset, errc::no_resources,
                            errc::not_supported, errc::closed, errc::timed_out}) {
      for (int n = 1; n <= calls; ++n) {
        for (const when at : {when::now, when::later}) {
          conversation now(terms, {n, code, at});
          now.check_ends({code, errc::connection_lost, errc::discarded, errc::timed_out, errc::closed});
          now.check_failed();
          now.check_wire();
        }
      }
    }
  }
}

TEST_CASE("at whichever call everything is stopped, each operation ends and the connection goes on") {
  for (const auto& terms : core_rig::all_terms()) {
    for (const when writes : {when::now, when::later, when::held}) {
      const int calls = conversation(terms, {}, writes).calls();
      for (int n = 1; n <= calls; ++n) {
        conversation now(terms, {n, errc::none, when::now}, writes);
        now.check_ends({errc::cancelled, errc::timed_out});
        now.check_wire();
      }
    }
  }
}
