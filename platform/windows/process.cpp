// The real twin's root on Windows.
#include "process.hpp"

#include <windows.h>

#include <cstdio>
#include <mutex>

#include "files.hpp"
#include "host.hpp"
#include "impersonator.hpp"
#include "system.hpp"
#include "twinpipe/backend/twin.hpp"
#include "windows/locations.hpp"
#include "windows/peer.hpp"

namespace tp::platform {
namespace {

class windows_process final : public backend::process {
 public:
  [[nodiscard]] backend::capabilities features() const noexcept override {
    return {.impersonation = can_switch_users(), .kernel_instances = true, .threads = true};
  }
  [[nodiscard]] const identity& self() const noexcept override { return self_; }
  [[nodiscard]] backend::names& names() noexcept override { return *names_; }
  [[nodiscard]] backend::files& files() noexcept override { return *files_; }
  [[nodiscard]] backend::impersonator& impersonator() noexcept override { return *impersonator_; }
  [[nodiscard]] backend::threads& threads() noexcept override { return *threads_; }
  [[nodiscard]] result<std::unique_ptr<backend::system>> make_system() override {
    return platform::make_system();
  }
  [[nodiscard]] result<backend::blocking_stream_ptr> attach_blocking(backend::detached_ptr) override {
    return fail(errc::not_supported);
  }
  [[nodiscard]] result<std::unique_ptr<backend::interrupt>> make_interrupt() override {
    return fail(errc::not_supported);
  }
  [[nodiscard]] result<backend::detached_ptr> adopt(backend::native_handle, backend::native_handle) override {
    return fail(errc::not_supported);
  }

  void log(std::string_view line) noexcept override {
    const std::lock_guard guard(log_lock_);
    std::fprintf(stderr, "%.*s\n", static_cast<int>(line.size()), line.data());
  }

 private:
  identity self_ = own_identity();
  std::unique_ptr<backend::names> names_ = make_names();
  std::unique_ptr<backend::files> files_ = make_files();
  std::unique_ptr<backend::impersonator> impersonator_ = make_impersonator();
  std::unique_ptr<backend::threads> threads_ = make_threads();
  std::mutex log_lock_;
};
static_assert(backend::implements<windows_process, backend::process>);

}  // namespace

result<std::unique_ptr<backend::process>> make_process() {
  return std::make_unique<windows_process>();
}

}  // namespace tp::platform
