// A process's part in a script, through the public API: the same code in a real process and in a world.
#pragma once

#include <map>
#include <memory>
#include <stop_token>
#include <vector>

#include "setting.hpp"
#include "step.hpp"
#include "twinpipe/twinpipe.hpp"

namespace tp::test::parity::api {

class actor {
 public:
  actor(tp::process& home, const setting& where);
  actor(const actor&) = delete;
  actor& operator=(const actor&) = delete;
  ~actor();

  void start(const step& s);
  /// One turn; did anything happen?
  bool turn(time_point until) { return runtime_->turn(until) == turned::progressed; }
  [[nodiscard]] time_point now() const noexcept { return runtime_->now(); }
  [[nodiscard]] bool waits_for(std::uint16_t op) const { return stops_.contains(op); }
  /// What has ended since the last call.
  [[nodiscard]] std::vector<completion> take() { return std::exchange(ended_, {}); }

 private:
  struct served {
    tp::endpoint endpoint;
    tp::listener listener;
  };
  /// A connection, and what has come of the stream or message that it is receiving.
  struct line {
    tp::connection connection;
    style how;
    std::uint64_t total = 0, hash = 0;
  };

  void at_once(const step& s, completion& c);
  void bind(const step& s, completion& c);
  void read_file(line& l, const step& s, completion& c);
  void halt();
  void finish();
  task<void> perform(step s);
  task<completion> begun(step s);
  task<completion> connect(step s);
  task<completion> accept(step s);
  task<completion> send(line& l, step s);
  task<completion> receive(step s);
  task<completion> receive_all(step s);
  task<completion> end(line& l, step s);

  completion met(const step& s, result<connection> made);
  void took(line& l, std::span<const std::byte> bytes, const received& got, completion& c);
  template <class R>
  awaitable<R> bounded(awaitable<R> what, const step& s);
  [[nodiscard]] line* find(std::uint16_t op);

  tp::process& home_;
  const setting& where_;
  std::unique_ptr<runtime> runtime_;
  std::map<std::uint16_t, served> served_;
  std::map<std::uint16_t, line> lines_;
  struct stop {
    verb what;
    std::stop_source source{};
  };
  std::map<std::uint16_t, stop> stops_;  ///< of what is pending
  std::vector<completion> ended_;
  task_group group_;
};

}  // namespace tp::test::parity::api
