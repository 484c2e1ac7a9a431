// A process above the seam.
#include "twinpipe/process.hpp"

#include <utility>

#include "async/endpoint_state.hpp"
#include "async/mutex_guard.hpp"
#include "core/runtime_directory.hpp"
#include "escape.hpp"

namespace tp {

using detail::mutex_guard;

struct process::started {
  int result = 0;
  std::unique_ptr<backend::thread> handle;  // last: its end joins, and the body writes the result
};

namespace {

[[nodiscard]] const char* contradiction(const endpoint_options& options, name_kind kind) {
  const bool raw = options.profile == profile::raw;
  if (options.max_instances == 0) return "max_instances must be 1 or more";
  if (options.max_half_open == 0) return "max_half_open must be 1 or more";
  if (options.max_message == 0 || options.max_message > max_message_limit) {
    return "max_message must be between 1 byte and 64 MiB";
  }
  if (options.backlog < 1) return "backlog must be 1 or more";
  if (options.handshake_timeout <= duration::zero()) return "handshake_timeout must be positive";
  if (!detail::is_runtime_directory(options.runtime_directory)) {
    return "runtime_directory must be an absolute path, without a NUL";
  }
  if (raw && options.mode == transmission::message) return "the raw profile has no message mode";
  if (raw && options.framed) return "the raw profile has no frames";
  if (kind == name_kind::dotnet && options.mode == transmission::message) {
    return "a dotnet: name speaks the raw profile, which has no message mode";
  }
  return nullptr;
}

}  // namespace

process::process(backend::process& twin, std::vector<std::string> arguments)
    : twin_(twin),
      arguments_(std::move(arguments)),
      lock_(twin.threads().make_mutex(backend::mutex_kind::leaf)) {}

process::~process() {
  join();
}

result<endpoint> process::bind(std::string_view name, endpoint_options options) {
  const auto subject = [&] { return make_text("'" + escape(name) + "'"); };
  if (twin_.impersonator().active()) {
    return tp::fail(errc::not_while_impersonating, operation::bind, 0, subject());
  }
  auto parsed = endpoint_name::parse(name);
  if (!parsed) return tp::fail(parsed.error().about(operation::bind, nullptr));
  if (const char* reason = contradiction(options, parsed->kind())) {
    return tp::fail(errc::invalid_argument, operation::bind, 0,
                    make_text("'" + escape(name) + "': " + reason));
  }
  if (parsed->kind() == name_kind::dotnet) options.profile = profile::raw;
  const auto& ids = options.access.ids();
  const backend::bind_request request{
      .name = *parsed,
      .scope = options.scope,
      .runtime_directory = options.runtime_directory,
      .audience = options.access.who(),
      .group = ids.empty() ? 0 : ids.front(),
      .backlog = options.backlog,
      .max_instances = options.max_instances,
      .raw = options.profile == profile::raw,
  };
  auto bound = twin_.names().bind(request);
  if (!bound) return tp::fail(bound.error().about(operation::bind, subject()));
  auto state =
      std::make_shared<detail::endpoint_state>(std::move(options), std::string(name), std::move(*bound),
                                               twin_.threads().make_mutex(backend::mutex_kind::leaf));
  return endpoint(std::make_shared<detail::endpoint_owner>(std::move(state)));
}

result<void> process::start_thread(std::string name, std::function<int(thread&)> body) {
  if (twin_.impersonator().active()) {
    return tp::fail(errc::not_while_impersonating, operation::start_thread, 0, make_text(std::move(name)));
  }
  auto entry = std::make_unique<started>();
  started& slot = *entry;
  auto handle = twin_.threads().start_thread(name, [this, name, run = std::move(body), &slot] {
    thread self(*this, name);
    slot.result = run(self);
  });
  if (!handle) return tp::fail(handle.error().about(operation::start_thread, make_text(std::move(name))));
  slot.handle = std::move(*handle);
  const mutex_guard held(*lock_);
  threads_.push_back(std::move(entry));
  return {};
}

// Threads may start others while we wait, so the list is emptied until it stays empty.
int process::join() {
  int first = 0;
  for (;;) {
    std::vector<std::unique_ptr<started>> waiting;
    {
      const mutex_guard held(*lock_);
      waiting.swap(threads_);
    }
    if (waiting.empty()) return first;
    for (const auto& each : waiting) {
      each->handle->join();
      if (first == 0) first = each->result;
    }
  }
}

int process::fail(const error& e) {
  log(e.message());
  return 1;
}

mutex::mutex(process& owner) : twin_(owner.twin().threads().make_mutex(backend::mutex_kind::user)) {}
condition::condition(process& owner) : twin_(owner.twin().threads().make_condition()) {}
event::event(process& owner) : twin_(owner.twin().threads().make_event()) {}

}  // namespace tp
