// libuv by hand: uv_poll and own socket calls, which is faster than its streams.
#include <uv.h>

#include "contender.hpp"
#include "exchange.hpp"

namespace bench {
namespace {

class libuv_loop {
 public:
  class watch {
   public:
    watch(libuv_loop& loop, int fd, handler& to) : poll_(new uv_poll_t) {
      if (uv_poll_init(&loop.loop_, poll_, fd) != 0) give_up("uv_poll_init");
      poll_->data = &to;
    }
    watch(const watch&) = delete;
    watch& operator=(const watch&) = delete;
    ~watch() {
      uv_close(reinterpret_cast<uv_handle_t*>(poll_),
               [](uv_handle_t* closed) { delete reinterpret_cast<uv_poll_t*>(closed); });
    }

    void arm(bool writable) {
      uv_poll_start(
          poll_, UV_READABLE | (writable ? UV_WRITABLE : 0), [](uv_poll_t* on, int status, int events) {
            if (status < 0) events = UV_READABLE;  // the next call says what is wrong
            static_cast<handler*>(on->data)->ready((events & UV_READABLE) != 0, (events & UV_WRITABLE) != 0);
          });
    }

   private:
    uv_poll_t* poll_;
  };

  libuv_loop() { uv_loop_init(&loop_); }
  libuv_loop(const libuv_loop&) = delete;
  libuv_loop& operator=(const libuv_loop&) = delete;
  ~libuv_loop() {
    uv_run(&loop_, UV_RUN_DEFAULT);
    uv_loop_close(&loop_);
  }
  void run() { uv_run(&loop_, UV_RUN_DEFAULT); }
  void stop() { uv_stop(&loop_); }

 private:
  uv_loop_t loop_{};
};

constexpr contender by_uv[] = {{"uv", serve_by_hand<libuv_loop>, ask_by_hand<libuv_loop>}};

}  // namespace

std::span<const contender> uv_contenders() {
  return by_uv;
}

}  // namespace bench
