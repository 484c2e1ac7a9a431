// The public runtime.
#include "twinpipe/runtime.hpp"

#include "async/connect_operation.hpp"
#include "async/listener_state.hpp"
#include "async/runtime_state.hpp"
#include "async/sleep_operation.hpp"
#include "fatal.hpp"
#include "twinpipe/process.hpp"

namespace tp {

namespace {

// A posted function owns its note, and is freed by its delivery.
struct posted_call : detail::mail {
  std::function<void()> f;
  const detail::runtime_state* runtime = nullptr;
};

void deliver_call(detail::mail& note) noexcept {
  const std::unique_ptr<posted_call> call(static_cast<posted_call*>(&note));
  if (!call->runtime->ending()) call->f();
}

}  // namespace

result<std::unique_ptr<runtime>> runtime::create(process& owner, const runtime_options& options) {
  return detail::runtime_maker::make(owner, options, nullptr);
}

result<std::unique_ptr<runtime>> detail::runtime_maker::make(process& owner, const runtime_options& options,
                                                             void* loop) {
  if (owner.twin().impersonator().active()) {
    return fail(errc::not_while_impersonating, operation::start_runtime);
  }
  auto system = owner.twin().make_system({.wait = options.wait, .loop = loop});
  if (!system) return fail(system.error().about(operation::start_runtime, nullptr));
  auto state = std::make_unique<detail::runtime_state>(owner, std::move(*system));
  return std::unique_ptr<runtime>(new runtime(std::move(state)));
}

runtime::runtime(std::unique_ptr<detail::runtime_state> state) noexcept : state_(std::move(state)) {}
runtime::~runtime() = default;

[[gnu::hot]] turned runtime::turn(time_point until) {
  switch (state_->turn(until)) {
    case backend::turn_result::progressed:
      return turned::progressed;
    case backend::turn_result::timed_out:
      return turned::timed_out;
    case backend::turn_result::stalled:
      break;
  }
  return turned::stalled;
}

result<backend::native_handle> runtime::poll_handle() {
  state_->check_thread();
  auto handle = state_->system().poll_handle();
  if (!handle) return fail(handle.error().about(operation::poll_handle, nullptr));
  return handle;
}

[[gnu::hot]] bool runtime::turn_for_run() {
  if (turn(never) != turned::stalled) return true;
  if (state_->twin().killed()) return false;
  detail::fatal("run: the task waits, and nothing is pending in this world that could ever wake it");
}

awaitable<result<connection>> runtime::connect(std::string_view name, const connect_options& options) {
  state_->check_thread();
  return awaitable<result<connection>>(*new detail::connect_operation(*state_, name, options));
}

result<listener> runtime::listen(const endpoint& endpoint) {
  state_->check_thread();
  auto made = detail::make_listener(*state_, endpoint);
  if (!made) return std::unexpected(made.error());
  return listener(**made);
}

awaitable<result<void>> runtime::sleep(duration d) {
  state_->check_thread();
  return awaitable<result<void>>(*new detail::sleep_operation(*state_, d));
}

void runtime::post(std::function<void()> f) {
  auto call = std::make_unique<posted_call>();
  call->deliver = &deliver_call;
  call->f = std::move(f);
  call->runtime = state_.get();
  if (state_->mail().post(*call)) static_cast<void>(call.release());  // delivery frees it
}

time_point runtime::now() const noexcept {
  return state_->now();
}
files runtime::files() const noexcept {
  return tp::files(state_->twin().files());
}
process& runtime::owner() const noexcept {
  return state_->owner();
}

}  // namespace tp
