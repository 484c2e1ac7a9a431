// A process's part in a script, through the public API: the same code in a real process and in a world.
#pragma once

#include <map>
#include <memory>
#include <stop_token>
#include <utility>
#include <vector>

#include "setting.hpp"
#include "step.hpp"
#include "twinpipe/twinpipe.hpp"

namespace tp::test::parity::api {

class actor {
 public:
  actor(const actor&) = delete;
  actor& operator=(const actor&) = delete;
  virtual ~actor() = default;

  void start(const step& s);
  /// One turn; did anything happen?
  bool turn(time_point until) { return runtime_->turn(until) == turned::progressed; }
  [[nodiscard]] time_point now() const noexcept { return runtime_->now(); }
  [[nodiscard]] bool waits_for(std::uint16_t op) const { return stops_.contains(op); }
  /// What has ended since the last call.
  [[nodiscard]] std::vector<completion> take() { return std::exchange(ended_, {}); }

 protected:
  actor(tp::process& home, const setting& where);
  /// Ends all that still waits.
  void leave();

  [[nodiscard]] tp::process& home() const noexcept { return home_; }
  [[nodiscard]] runtime& loop() const noexcept { return *runtime_; }
  [[nodiscard]] const setting& where() const noexcept { return where_; }
  /// Of the names of that place.
  [[nodiscard]] const std::string& folder_of(std::uint16_t place) const;
  /// Bounds an operation as the step says.
  template <class Awaitable>
  Awaitable bounded(Awaitable what, const step& s);

 private:
  virtual void at_once(const step& s, completion& c) = 0;
  virtual task<completion> begun(step s) = 0;
  /// All that the process has is destroyed.
  virtual void finish() = 0;
  void do_now(const step& s, completion& c);
  void halt();
  task<void> perform(step s);

  tp::process& home_;
  const setting& where_;
  std::unique_ptr<runtime> runtime_;
  struct stop {
    verb what;
    std::stop_source source{};
  };
  std::map<std::uint16_t, stop> stops_;  ///< of what is pending
  std::vector<completion> ended_;
  task_group group_;
};

template <class Awaitable>
Awaitable actor::bounded(Awaitable what, const step& s) {
  if (s.bound == limit::soon) static_cast<void>(std::move(what).within(soon));
  if (s.bound == limit::ample) static_cast<void>(std::move(what).within(std::chrono::minutes(1)));
  static_cast<void>(std::move(what).unless(stops_.at(s.op).source.get_token()));
  return what;
}

/// By tasks, or by calls that block.
[[nodiscard]] std::unique_ptr<actor> make_actor(tp::process& home, const setting& where, bool blocking);

}  // namespace tp::test::parity::api
