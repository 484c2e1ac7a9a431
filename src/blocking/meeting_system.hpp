// The system of a blocking connect: the thread that calls is its turns, and sleeps in the stream itself.
#pragma once

#include <array>
#include <memory>

#include "blocking/caller_system.hpp"
#include "twinpipe/backend/blocking.hpp"
#include "twinpipe/backend/process.hpp"

namespace tp::detail {

class meeting_stream;

/// A loop would have to be told of a stream that is read once and then leaves it again. For one thread at a
/// time, and one stream at a time that waits.
class meeting_system final : public backend::system {
 public:
  /// `names` finds what is to be connected to; nothing else is asked of it.
  meeting_system(backend::process& twin, std::unique_ptr<backend::system> names);
  ~meeting_system() override;

  /// Of the next call: whether another thread may want to end its waits.
  void may_be_stopped(bool yes) noexcept { stoppable_ = yes; }
  /// Of the next call: when it is over in any case.
  void end_at(time_point deadline) noexcept { deadline_ = deadline; }
  /// Completes what needs no wait. True if there was anything.
  bool run();

  [[nodiscard]] time_point now() const noexcept override { return twin_.threads().now(); }
  backend::start sleep(backend::op& op) override;
  void schedule(backend::op& op) noexcept override;
  backend::start connect(backend::connect_op& op) override;
  void cancel(backend::op& op) noexcept override;
  [[nodiscard]] result<backend::acceptor_ptr> open(const std::shared_ptr<backend::bound_name>&) override {
    return fail(errc::not_supported);
  }
  [[nodiscard]] result<backend::stream_ptr> attach(backend::detached_ptr stream,
                                                   backend::attachment how) override;
  backend::turn_result turn(time_point until) override;
  void on_wake(void (*handler)(void*) noexcept, void* context) noexcept override;
  [[nodiscard]] std::shared_ptr<backend::waker> get_waker() override { return waker_; }

 private:
  friend class meeting_stream;

  void finish(backend::op& op, backend::status result, std::size_t n = 0) noexcept;
  [[nodiscard]] time_point next_due() const noexcept;
  void expire();
  void wait(time_point until);
  void wait_for_stop(time_point until);

  backend::process& twin_;
  std::unique_ptr<backend::system> names_;
  std::shared_ptr<caller_waker> waker_;
  std::unique_ptr<backend::interrupt> interrupt_;
  std::array<backend::op*, 2> timers_{};  ///< a connect's deadline, and its pause before it tries again
  backend::op* late_ = nullptr;           ///< a connect that had no answer by then
  time_point deadline_ = never;
  meeting_stream* waiting_ = nullptr;
  op_list ready_;
  void (*wake_handler_)(void*) noexcept = nullptr;
  void* wake_context_ = nullptr;
  bool stoppable_ = false;
};

}  // namespace tp::detail
