// A process: what owns endpoints, threads, files, time and chance. Real ones come from run(), simulated ones
// from a world.
#pragma once

#include <atomic>
#include <concepts>
#include <cstddef>
#include <deque>
#include <functional>
#include <memory>
#include <memory_resource>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "twinpipe/backend/process.hpp"
#include "twinpipe/blocking.hpp"
#include "twinpipe/endpoint.hpp"
#include "twinpipe/error.hpp"
#include "twinpipe/files.hpp"
#include "twinpipe/options.hpp"
#include "twinpipe/runtime.hpp"
#include "twinpipe/thread.hpp"

namespace tp {

namespace detail {
class client_scope;
class connect_operation;
class meeting_places;
class withdrawals;
}  // namespace detail

/// Thread-safe. There is no global one: whatever needs a process is given it.
class process {
 public:
  /// `twin` and `memory` must outlive it. From `memory` comes what connections hold; threads use it at once,
  /// so it must allow that (a pool: std::pmr::synchronized_pool_resource). Null: the program's own allocator.
  explicit process(backend::process& twin, std::vector<std::string> arguments = {},
                   std::pmr::memory_resource* memory = nullptr);
  process(const process&) = delete;
  process& operator=(const process&) = delete;
  ~process();  // joins its threads

  /// Takes a name; clients may connect from now on, and wait until somebody listens.
  /// Errors: name_in_use (who holds it), invalid_name, name_too_long, invalid_argument (options that
  /// contradict each other), access_denied, untrusted_location, unreachable_policy, not_found (its
  /// directory doesn't exist), not_supported, no_resources, io_error, not_while_impersonating.
  [[nodiscard]] result<endpoint> bind(std::string_view name, endpoint_options options = {});

  /// Runs `body` on a new thread. What it returns counts for join(): 0 is success. An exception that leaves
  /// it ends that thread only: its text is logged, and it counts as the result 1.
  /// Errors: not_supported (a process without threads), no_resources, not_while_impersonating.
  result<void> start_thread(std::string name, std::function<int(thread&)> body);
  /// Waits until all threads have ended, those started meanwhile too. The first result so far that wasn't 0,
  /// in the order the threads were started, or 0: a second join, or one beside this on another thread, gets
  /// the same. A thread that start_thread made would wait for itself: there it aborts the program.
  int join();

  /// Makes a runtime for the calling thread and runs `main(runtime)`, a coroutine that returns its exit code.
  template <class Main>
    requires std::same_as<std::invoke_result_t<Main&, runtime&>, task<int>>
  int run(Main main, const runtime_options& options = {}) {
    auto made = runtime::create(*this, options);
    if (!made) return fail(made.error());
    return (*made)->run(main(**made));
  }

  /// Logs the error's message and returns 1.
  int fail(const error& e);
  /// One line for the operator: standard error of a real process, the trace of a simulated world.
  void log(std::string_view line) { twin_.log(line); }

  [[nodiscard]] const std::vector<std::string>& arguments() const noexcept { return arguments_; }
  [[nodiscard]] const identity& self() const noexcept { return twin_.self(); }
  [[nodiscard]] tp::files files() const noexcept { return tp::files(twin_.files()); }
  /// The time of the moment; that of a turn is runtime::now().
  [[nodiscard]] time_point now() const noexcept { return twin_.threads().now(); }
  /// Blocks the thread, its runtime with it; in a coroutine use runtime::sleep.
  void sleep(duration d);
  /// Bytes that can't be foreseen, from the system; in a simulated world the same sequence in every run.
  void random(std::span<std::byte> fill) noexcept { twin_.threads().random(fill); }
  [[nodiscard]] backend::process& twin() const noexcept { return twin_; }
  [[nodiscard]] std::pmr::memory_resource& memory() const noexcept { return *memory_; }

 private:
  friend result<blocking::connection> blocking::connect(process&, std::string_view, const connect_options&,
                                                        const blocking::limits&);
  friend class detail::client_scope;  // at its end it gives back the names closed inside
  friend class detail::connect_operation;
  /// One line of the log, once, if the user has chosen a place that isn't used.
  void tell_unheeded();
  struct started;
  void run_thread(const std::string& name, const std::function<int(thread&)>& body, started& entry);

  backend::process& twin_;
  std::pmr::memory_resource* memory_;
  std::vector<std::string> arguments_;
  std::atomic<bool> told_unheeded_ = false;
  std::shared_ptr<detail::withdrawals> withdrawals_;
  std::unique_ptr<detail::meeting_places> meeting_places_;
  std::unique_ptr<backend::mutex> lock_;
  std::unique_ptr<backend::condition> joined_;    ///< a thread has been joined
  std::deque<std::unique_ptr<started>> threads_;  ///< guarded by lock_, as are the following
  bool joining_ = false;                          ///< somebody waits for the first of them
  int result_ = 0;                                ///< of those that were joined
};

}  // namespace tp
