// A process above the seam.
#include "twinpipe/process.hpp"

#include <algorithm>
#include <cstdint>
#include <exception>
#include <optional>
#include <utility>

#include "async/endpoint_state.hpp"
#include "async/mutex_guard.hpp"
#include "async/withdrawals.hpp"
#include "blocking/private_loop.hpp"
#include "core/contradiction.hpp"
#include "fatal.hpp"
#include "twinpipe/detail/killed.hpp"
#include "twinpipe/escape.hpp"

namespace tp {

using detail::mutex_guard;
using detail::unlocked;

struct process::started {
  int result = 0;
  std::optional<std::uint64_t> number;      // of the thread while its body runs; guarded by lock_
  std::unique_ptr<backend::thread> handle;  // last: its end joins, and the body writes the result
};

process::process(backend::process& twin, std::vector<std::string> arguments,
                 std::pmr::memory_resource* memory)
    : twin_(twin),
      memory_(memory != nullptr ? memory : std::pmr::new_delete_resource()),
      arguments_(std::move(arguments)),
      withdrawals_(std::make_shared<detail::withdrawals>(twin)),
      meeting_places_(std::make_unique<detail::meeting_places>(twin.threads())),
      lock_(twin.threads().make_mutex(backend::mutex_kind::library)),
      joined_(twin.threads().make_condition()) {}

process::~process() {
  join();
}

result<endpoint> process::bind(std::string_view name, endpoint_options options) {
  const auto subject = [&] { return make_text(in_quotes(name)); };
  if (twin_.impersonator().active()) {
    return tp::fail(errc::not_while_impersonating, operation::bind, 0, subject());
  }
  auto parsed = endpoint_name::parse(name);
  if (!parsed) return tp::fail(parsed.error().about(operation::bind, nullptr));
  if (parsed->kind() == name_kind::dotnet) options.profile = profile::raw;
  if (const char* reason = core::contradiction(options, parsed->kind())) {
    return tp::fail(errc::invalid_argument, operation::bind, 0, make_text(in_quotes(name) + ": " + reason));
  }
  const backend::bind_request request{
      .name = *parsed,
      .scope = options.scope,
      .runtime_directory = options.runtime_directory,
      .access = options.access,
      .backlog = options.backlog,
      .max_instances = options.max_instances,
      .raw = options.profile == profile::raw,
  };
  const bool by_environment = parsed->kind() == name_kind::plain && options.runtime_directory.empty();
  if (by_environment && options.scope == name_scope::user) tell_unheeded();
  auto bound = twin_.names().bind(request);
  if (!bound) return tp::fail(bound.error().about(operation::bind, subject()));
  auto state = std::make_shared<detail::endpoint_state>(
      std::move(options), std::string(name), std::move(*bound),
      twin_.threads().make_mutex(backend::mutex_kind::leaf), withdrawals_);
  return endpoint(std::make_shared<detail::endpoint_owner>(std::move(state)));
}

result<void> process::start_thread(std::string name, std::function<int(thread&)> body) {
  if (twin_.impersonator().active()) {
    return tp::fail(errc::not_while_impersonating, operation::start_thread, 0, make_text(std::move(name)));
  }
  auto entry = std::make_unique<started>();
  started& slot = *entry;
  const mutex_guard held(*lock_);  // the body waits for it, so whoever joins finds the thread in the list
  auto handle = twin_.threads().start_thread(
      name, [this, name, run = std::move(body), &slot] { run_thread(name, run, slot); });
  if (!handle) return tp::fail(handle.error().about(operation::start_thread, make_text(std::move(name))));
  slot.handle = std::move(*handle);
  threads_.push_back(std::move(entry));
  return {};
}

void process::run_thread(const std::string& name, const std::function<int(thread&)>& body, started& entry) {
  const auto set_number = [&](std::optional<std::uint64_t> number) {
    const mutex_guard held(*lock_);
    entry.number = number;
  };
  set_number(twin_.threads().this_thread());
  std::string thrown;
  try {
    thread self(*this, name);
    entry.result = body(self);
  } catch (const detail::process_killed&) {
    entry.result = 1;
  } catch (const std::exception& exception) {
    thrown = escape(exception.what());
  } catch (...) {
    thrown = "no std::exception";
  }
  if (!thrown.empty()) {
    entry.result = 1;
    std::string line = "twinpipe: an exception left the thread '";
    line.append(escape(name)).append("': ").append(thrown);
    log(line);
  }
  set_number(std::nullopt);  // numbers are used again
}

// One joiner at a time waits for the first thread of the list; the others wait until it has.
int process::join() {
  const mutex_guard held(*lock_);
  if (threads_.empty()) return result_;
  const std::uint64_t self = twin_.threads().this_thread();
  if (std::ranges::any_of(threads_, [&](const auto& each) { return each->number == self; }))
    detail::fatal("process::join was called by one of the threads that it waits for");
  while (!threads_.empty()) {
    if (joining_) {
      joined_->wait(*lock_, never);
      continue;
    }
    joining_ = true;
    const started& first = *threads_.front();
    {
      const unlocked meanwhile(*lock_);
      first.handle->join();
    }
    if (result_ == 0) result_ = first.result;
    threads_.pop_front();
    joining_ = false;
    joined_->notify_all();
  }
  return result_;
}

void process::sleep(duration d) {
  twin_.threads().sleep_until(deadline_after(now(), d));
  if (twin_.killed()) detail::leave_killed();
}

void process::tell_unheeded() {
  if (told_unheeded_.load(std::memory_order_relaxed) || told_unheeded_.exchange(true)) return;
  if (const std::string what = twin_.names().unheeded(); !what.empty()) log("twinpipe: " + what);
}

int process::fail(const error& e) {
  log(e.message());
  return 1;
}

mutex::mutex(process& owner) : twin_(owner.twin().threads().make_mutex(backend::mutex_kind::user)) {}
condition::condition(process& owner) : owner_(owner), twin_(owner.twin().threads().make_condition()) {}
event::event(process& owner) : owner_(owner), twin_(owner.twin().threads().make_event()) {}

bool condition::wait(mutex& held, time_point deadline) {
  const bool in_time = twin_->wait(*held.twin_, deadline);
  if (owner_.twin().killed()) detail::leave_killed();
  return in_time;
}

bool event::wait(time_point deadline) {
  const bool in_time = twin_->wait(deadline);
  if (owner_.twin().killed()) detail::leave_killed();
  return in_time;
}

}  // namespace tp
