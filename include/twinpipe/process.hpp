// A process: what owns endpoints, threads, files, time and chance. Real ones come from run(), simulated ones
// from a world.
#pragma once

#include <concepts>
#include <cstddef>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "twinpipe/backend/process.hpp"
#include "twinpipe/endpoint.hpp"
#include "twinpipe/error.hpp"
#include "twinpipe/files.hpp"
#include "twinpipe/options.hpp"
#include "twinpipe/runtime.hpp"
#include "twinpipe/thread.hpp"

namespace tp {

/// Thread-safe. There is no global one: whatever needs a process is given it.
class process {
 public:
  /// `twin` must outlive it.
  explicit process(backend::process& twin, std::vector<std::string> arguments = {});
  process(const process&) = delete;
  process& operator=(const process&) = delete;
  ~process();  // joins its threads

  /// Takes a name; clients may connect from now on, and wait until somebody listens.
  /// Errors: name_in_use (who holds it), invalid_name, name_too_long, invalid_argument (options that
  /// contradict each other), access_denied, untrusted_location, unreachable_policy, not_found (its
  /// directory doesn't exist), not_supported, no_resources, io_error, not_while_impersonating.
  [[nodiscard]] result<endpoint> bind(std::string_view name, endpoint_options options = {});

  /// Runs `body` on a new thread. What it returns counts for join(): 0 is success.
  /// Errors: not_supported (a process without threads), no_resources, not_while_impersonating.
  result<void> start_thread(std::string name, std::function<int(thread&)> body);
  /// Waits for all threads; the first result that isn't 0, in the order they were started, or 0.
  int join();

  /// Makes a runtime for the calling thread and runs `main(runtime)`, a coroutine that returns its exit code.
  template <class Main>
    requires std::same_as<std::invoke_result_t<Main&, runtime&>, task<int>>
  int run(Main main) {
    auto made = runtime::create(*this);
    if (!made) return fail(made.error());
    return (*made)->run(main(**made));
  }

  /// Logs the error's message and returns 1.
  int fail(const error& e);
  void log(std::string_view line) { twin_.log(line); }

  [[nodiscard]] const std::vector<std::string>& arguments() const noexcept { return arguments_; }
  [[nodiscard]] const identity& self() const noexcept { return twin_.self(); }
  [[nodiscard]] tp::files files() const noexcept { return tp::files(twin_.files()); }
  [[nodiscard]] time_point now() const noexcept { return twin_.threads().now(); }
  void sleep(duration d) { twin_.threads().sleep_until(deadline_after(now(), d)); }
  void random(std::span<std::byte> fill) noexcept { twin_.threads().random(fill); }
  [[nodiscard]] backend::process& twin() const noexcept { return twin_; }

 private:
  struct started;
  backend::process& twin_;
  std::vector<std::string> arguments_;
  std::unique_ptr<backend::mutex> lock_;
  std::vector<std::unique_ptr<started>> threads_;  ///< guarded by lock_
};

}  // namespace tp
