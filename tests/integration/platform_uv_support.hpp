// What the tests of runtimes on a program's loop share.
#pragma once

#include <uv.h>

#include <memory>

#include "platform_support.hpp"
#include "twinpipe/uv.hpp"

namespace tp::test {

/// A program's own loop. At its end nothing of anybody may be left on it.
struct own_loop {
  own_loop() { REQUIRE(uv_loop_init(&loop) == 0); }
  ~own_loop() {
    uv_run(&loop, UV_RUN_DEFAULT);
    CHECK(uv_loop_close(&loop) == 0);
  }
  void run() { uv_run(&loop, UV_RUN_DEFAULT); }

  uv_loop_t loop{};
};

/// A process with a runtime on a program's loop.
struct lent_rig {
  explicit lent_rig(const runtime_options& options = {})
      : self(*twin.process), runtime(uv::create_runtime(self, on.loop, options).value()) {}

  own_loop on;
  rig twin;
  tp::process self;
  std::unique_ptr<tp::runtime> runtime;
  temporary_directory directory;
};

}  // namespace tp::test
