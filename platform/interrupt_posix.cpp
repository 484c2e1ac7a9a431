// An interrupt is an eventfd(2).
#include "interrupt_posix.hpp"

#include <sys/eventfd.h>

#include <array>
#include <atomic>
#include <utility>

#include "descriptor.hpp"
#include "poll_posix.hpp"
#include "twinpipe/backend/twin.hpp"

namespace tp::platform {
namespace {

// The flag spares system calls that would change nothing. Each change of it is followed by one write or one
// read, by the thread that changed it; a read that overtakes the write it belongs to waits for it. As a
// semaphore the counter is the number of writes less that of reads, whatever their order.
class event_interrupt final : public backend::interrupt {
 public:
  explicit event_interrupt(descriptor event) noexcept : event_(std::move(event)) {}

  void raise() noexcept override {
    if (!raised_.exchange(true)) ::eventfd_write(event_.get(), 1);
  }
  void lower() noexcept override {
    if (!raised_.load() || !raised_.exchange(false)) return;
    eventfd_t ignored = 0;
    while (::eventfd_read(event_.get(), &ignored) != 0 && errno == EINTR) {
    }
  }
  bool wait(time_point deadline) override {
    std::array<pollfd, 1> question{{{event_.get(), POLLIN, 0}}};
    while (!raised_)
      if (!poll_until(question, deadline).ok()) return raised_;
    return true;
  }

  [[nodiscard]] int number() const noexcept { return event_.get(); }

 private:
  const descriptor event_;
  std::atomic<bool> raised_ = false;
};
static_assert(backend::implements<event_interrupt, backend::interrupt>);

}  // namespace

result<std::unique_ptr<backend::interrupt>> make_interrupt() {
  descriptor event(::eventfd(0, EFD_CLOEXEC | EFD_SEMAPHORE));
  if (!event) return fail_with(operation::none, errno, "");
  return std::make_unique<event_interrupt>(std::move(event));
}

int descriptor_of(const backend::interrupt& made) noexcept {
  return static_cast<const event_interrupt&>(made).number();
}

}  // namespace tp::platform
