// A process, a runtime and its streams on the twin of paper, and waiters that watch where they are resumed.
#pragma once

#include <deque>
#include <memory>
#include <optional>
#include <stop_token>
#include <string_view>

#include "async/runtime_state.hpp"
#include "core/terms.hpp"
#include "core_frames.hpp"
#include "core_twin.hpp"
#include "twinpipe/connection.hpp"
#include "twinpipe/process.hpp"

namespace tp::test {

/// How the stream answers a start.
enum class when : std::uint8_t {
  now,    ///< done
  later,  ///< pending, completed in the next turn
  held,   ///< pending, until the test goes on
};

/// Bytes for a read; none of them and no error: the end.
struct read_answer {
  byte_vector bytes;
  errc code = errc::none;
  when at = when::now;
};
/// How much of a write, or the code of any other operation.
struct answer {
  std::size_t most = SIZE_MAX;
  errc code = errc::none;
  when at = when::now;
};

/// A mock stream that plays what it is told, and obeys the contract of the seam about pending, cancel and
/// close.
class played_stream {
 public:
  played_stream(paper_system& system, const int& user_calls);

  mock_stream mock;
  std::deque<read_answer> reads;  ///< when they are used up, reads are held
  std::deque<answer> writes;      ///< likewise, but then `write_rest`
  answer write_rest;
  answer shutdown_answer, drain_answer;
  /// Asked at every start, with a word for the call; a code other than none is its answer.
  std::function<errc(std::string_view)> fault = [](std::string_view) { return errc::none; };
  when fault_at = when::now;
  std::size_t cancelled_write_takes = 0;  ///< how much of a write had gone before it was cancelled
  /// A read that is closed gets these bytes all the same.
  byte_vector met_by_close;
  /// A read that is cancelled, likewise.
  byte_vector met_by_cancel;
  /// A cancelled or closed write succeeds after all.
  bool cancel_meets_completion = false;

  bool peer_follows = false;         ///< says its acceptor
  std::optional<identity> revealed;  ///< whose it is, as the first bytes of a read tell

  byte_vector written;
  bool closed = false;
  bool released = false;   ///< given back by the core
  int stale_releases = 0;  ///< to come from pointers that were detached
  std::function<backend::detached_ptr()> detacher = [] { return backend::detached_ptr(); };

  backend::read_op* reading = nullptr;
  backend::write_op* writing = nullptr;
  backend::op* shutting = nullptr;
  backend::op* draining = nullptr;

  /// More for reads, and for the one that is held.
  void feed(byte_vector bytes) { feed_answer({std::move(bytes)}); }
  void feed_end() { feed_answer({}); }
  void feed_error(errc code) { feed_answer({{}, code}); }
  /// The deadline of the read that is held.
  void time_out_read() { std::exchange(reading, nullptr)->complete({errc::timed_out, 0}); }
  /// Ends the write that is held, in this call, as a turn would.
  void finish_write(std::size_t n, errc code = errc::none);
  void finish(backend::op*& held, errc code = errc::none);

  [[nodiscard]] backend::stream_ptr pointer() { return backend::stream_ptr(&mock); }

 private:
  void feed_answer(read_answer more);
  void end_read(byte_vector met, errc otherwise);
  void install();
  std::optional<backend::start> fails(std::string_view call, backend::op& op);
  backend::start on_read(backend::read_op& op);
  backend::start on_write(backend::write_op& op);
  backend::start on_other(std::string_view call, backend::op& op, backend::op*& slot, const answer& how);
  void on_cancel(backend::op& op);
  void on_close();
  void on_release();
  std::size_t deliver(backend::read_op& op);
  std::size_t accept(const backend::write_op& op, std::size_t most);

  paper_system& system_;
  const int& user_calls_;
  std::vector<std::unique_ptr<trompeloeil::expectation>> expectations_;
};

/// A detached stream that remembers which one it is. The destructor closes it unless it was attached.
class played_detached final : public backend::detached_stream {
 public:
  explicit played_detached(played_stream& s) : stream(&s) {}
  ~played_detached() override;
  [[nodiscard]] const identity& peer() const noexcept override { return stream->mock.who; }
  [[nodiscard]] backend::stream_ptr attach() { return std::exchange(stream, nullptr)->pointer(); }

 private:
  played_stream* stream;
};

/// A result that a coroutine waits for. `at_once`: it didn't have to wait.
template <class Result>
class awaited {
 public:
  /// Shared with the coroutine, which may outlive the test.
  struct cell {
    std::optional<Result> value;
    bool waiting = false;
  };
  std::shared_ptr<cell> place = std::make_shared<cell>();
  bool at_once = false;

  [[nodiscard]] bool done() const { return place->value.has_value(); }
  /// none while it isn't done, too.
  [[nodiscard]] errc code() const {
    return done() && !place->value->has_value() ? (*place->value).error().code() : errc::none;
  }
  Result& operator*() { return *place->value; }
  Result* operator->() { return &*place->value; }
};

using sent = awaited<send_result>;
using got = awaited<result<received>>;
using nothing = awaited<result<void>>;
using closing = awaited<result<delivery>>;

/// What a close that has ended without an error found out.
[[nodiscard]] inline delivery outcome_of(awaited<result<delivery>>& close) {
  REQUIRE((close.done() && close->has_value()));
  return **close;
}

class core_rig {
 public:
  core_rig();
  virtual ~core_rig();

  backend::capabilities features;
  identity self;
  paper_threads threads;
  mock_process twin;
  mock_impersonator impersonator;
  bool impersonating = false;
  std::unique_ptr<process> owner;
  paper_system* system = nullptr;  ///< the runtime's
  std::unique_ptr<detail::runtime_state> runtime;
  int user_calls = 0;  ///< inside a call of the user no waiter may be resumed

  /// The n-th call of the seam from now on, of this rig and its streams, fails so: 0 for none. Only streams
  /// that are made afterwards, and only calls that can fail.
  void fails_at(int n, errc code, when at);
  /// How many of these calls there were.
  [[nodiscard]] int calls() const { return calls_; }
  /// The word for the call that failed; empty if none has.
  [[nodiscard]] const std::string& failed_call() const { return failed_call_; }

  played_stream& stream();
  [[nodiscard]] connection connect(played_stream& over, const core::terms& terms);
  [[nodiscard]] static core::terms messages(std::size_t max = 1 << 20);
  [[nodiscard]] static core::terms plain_bytes();
  [[nodiscard]] static core::terms framed_bytes();
  [[nodiscard]] static std::vector<core::terms> all_terms() {
    return {plain_bytes(), framed_bytes(), messages()};
  }

  /// Turns until nothing is ready; time stands still.
  void settle();
  void pass(duration d);

  /// Awaits in a coroutine of its own.
  template <class Result>
  void go(awaitable<Result> op, awaited<Result>& into) {
    into = {};
    ++user_calls;
    wait(*this, std::move(op), into.place);
    --user_calls;
    into.at_once = into.done();
    into.place->waiting = !into.done();
  }
  template <class F>
  void user_call(F f) {
    ++user_calls;
    f();
    --user_calls;
  }

 protected:
  /// Counts a call; the code with which it has to fail.
  errc next_call(std::string_view word);
  [[nodiscard]] when fails_when() const { return failing_when_; }

 private:
  template <class Result>
  static detail::root wait(core_rig& rig, awaitable<Result> op,
                           std::shared_ptr<typename awaited<Result>::cell> into) {
    auto outcome = co_await std::move(op);
    if (into->waiting && rig.user_calls != 0) FAIL_CHECK("a waiter was resumed inside a call of the user");
    if (into->value) FAIL_CHECK("an operation completed twice");
    into->value.emplace(std::move(outcome));
  }

  std::vector<std::unique_ptr<trompeloeil::expectation>> expectations_;
  std::deque<std::unique_ptr<played_stream>> streams_;
  int calls_ = 0;
  int failing_call_ = 0;
  errc failing_code_ = errc::none;
  when failing_when_ = when::now;
  std::string failed_call_;
};

}  // namespace tp::test
