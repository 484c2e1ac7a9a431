// The calling process as the seam sees it.
#include "process.hpp"

#include <sys/uio.h>
#include <unistd.h>

#include <array>
#include <utility>

#include "descriptor_pair_posix.hpp"
#include "files.hpp"
#include "host.hpp"
#include "impersonator.hpp"
#include "interrupt_posix.hpp"
#include "names_posix.hpp"
#include "peer_identity.hpp"
#include "streams.hpp"
#include "system.hpp"
#include "twinpipe/backend/twin.hpp"

namespace tp::platform {
namespace {

class posix_process final : public backend::process {
 public:
  posix_process()
      : features_{.half_close = true,
                  .drain = true,
                  .exact_write = true,
                  .impersonation = can_switch_users(),
                  .exit_handle = has_exit_handles(),
                  .kernel_instances = false,
                  .threads = true,
                  .blocking_streams = true,
                  .given_handles = true} {}

  backend::capabilities features() const noexcept override { return features_; }
  const identity& self() const noexcept override { return self_; }
  backend::names& names() noexcept override { return *names_; }
  backend::files& files() noexcept override { return *files_; }
  backend::impersonator& impersonator() noexcept override { return *impersonator_; }
  backend::threads& threads() noexcept override { return *threads_; }
  result<std::unique_ptr<backend::system>> make_system() override { return platform::make_system(); }
  result<backend::blocking_stream_ptr> attach_blocking(backend::detached_ptr stream) override {
    channel_ptr held = take_channel(std::move(stream));
    if (!held) return fail(errc::invalid_argument);
    return make_blocking_stream(std::move(held));
  }
  result<std::unique_ptr<backend::interrupt>> make_interrupt() override { return platform::make_interrupt(); }
  result<backend::detached_ptr> adopt(backend::native_handle in, backend::native_handle out) override {
    return adopt_descriptors(in, out);
  }

  // One call, so that lines of several threads stay whole; nobody can be told if it fails.
  void log(std::string_view line) noexcept override {
    char newline = '\n';
    const std::array<iovec, 2> parts{{{const_cast<char*>(line.data()), line.size()}, {&newline, 1}}};
    [[maybe_unused]] const ssize_t ignored =
        ::writev(STDERR_FILENO, parts.data(), static_cast<int>(parts.size()));
  }

 private:
  const identity self_ = own_identity();
  const backend::capabilities features_;
  const std::unique_ptr<backend::names> names_ = make_names();
  const std::unique_ptr<backend::files> files_ = make_files();
  const std::unique_ptr<backend::impersonator> impersonator_ = make_impersonator();
  const std::unique_ptr<backend::threads> threads_ = make_threads();
};
static_assert(backend::implements<posix_process, backend::process>);

}  // namespace

result<std::unique_ptr<backend::process>> make_process() {
  return std::make_unique<posix_process>();
}

}  // namespace tp::platform
