// A program that has a libuv loop lends it: its runtime completes inside the program's own uv_run.
#include "twinpipe/uv.hpp"

#include "greeter.hpp"

namespace {

int converse(tp::process& p, uv_loop_t& loop) {
  auto rt = tp::uv::create_runtime(p, loop);
  if (!rt) return p.fail(rt.error());
  tp::task_group both;
  if (auto started = greeter::start_both(**rt, both); !started) return p.fail(started.error());
  uv_run(&loop, UV_RUN_DEFAULT);  // goes on while an operation is pending, or a handle of the program's is
  auto ended = (*rt)->run(greeter::joined(both));
  return ended ? 0 : p.fail(ended.error());
}

int program(tp::process& p) {
  uv_loop_t loop;
  if (uv_loop_init(&loop) != 0) return 1;
  const int code = converse(p, loop);
  uv_run(&loop, UV_RUN_DEFAULT);  // libuv lets go of the handles that the runtime has closed
  return uv_loop_close(&loop) == 0 ? code : 1;
}

}  // namespace

int main() {
  return tp::run(program);
}
