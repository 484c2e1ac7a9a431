// A simulated process. Killed or destroyed, the kernel takes back all it holds, first opened first.
#include <vector>

#include "fatal.hpp"
#include "kernel.hpp"
#include "text.hpp"
#include "twinpipe/backend/twin.hpp"
#include "twinpipe/detail/frame_memory.hpp"

namespace tp::sim {
namespace {

class own_names final : public backend::names {
 public:
  explicit own_names(process_ref process) : process_(std::move(process)) {}
  result<std::shared_ptr<backend::bound_name>> bind(const backend::bind_request& request) override {
    return sim::bind(process_, request);
  }

 private:
  process_ref process_;
};
static_assert(backend::implements<own_names, backend::names>);

class process final : public backend::process, public tp::detail::recycled {
 public:
  explicit process(process_ref record) : record_(std::move(record)) {
    record_->object = this;
    record_->on.alive.push_back(record_.get());
  }
  ~process() override {
    kill();
    for (std::size_t i = 0; i < record_->handles.size(); ++i) {
      if (handle* const each = record_->handles.at(i)) each->die();
    }
  }
  void kill() {
    record_->world->time.check_caller("kill");
    if (std::exchange(record_->over, true)) return;
    record_->world->time.note_showing(record_->number, happening::killed, record_->self.pid.value);
    record_->on.bury(*record_);
    close_all(record_);
  }
  [[nodiscard]] process_record& record() noexcept { return *record_; }
  backend::capabilities features() const noexcept override {
    return {.half_close = true,
            .drain = true,
            .exact_write = true,
            .impersonation = self().is_superuser(),
            .exit_handle = true,
            .threads = fibers_available(),
            .blocking_streams = fibers_available()};
  }
  const identity& self() const noexcept override { return record_->self; }
  backend::names& names() noexcept override { return names_; }
  backend::files& files() noexcept override {
    if (files_ == nullptr) files_ = make_files(record_);
    return *files_;
  }
  backend::impersonator& impersonator() noexcept override { return *impersonator_; }
  backend::threads& threads() noexcept override { return *threads_; }
  result<std::unique_ptr<backend::system>> make_system(const backend::system_options& options) override {
    record_->world->time.check_caller("a new runtime");
    if (record_->dead()) return fail(errc::process_killed, operation::start_runtime);
    if (options.loop != nullptr) return fail(errc::not_supported, operation::start_runtime);
    return sim::make_system(record_);
  }
  result<backend::blocking_stream_ptr> attach_blocking(backend::detached_ptr stream) override {
    return adopt_blocking(record_, std::move(stream));
  }
  result<std::unique_ptr<backend::interrupt>> make_interrupt() override {
    if (record_->dead()) return fail(errc::process_killed);
    return sim::make_interrupt(record_);
  }
  result<backend::detached_ptr> adopt(backend::native_handle, backend::native_handle) override {
    return fail(record_->dead() ? errc::process_killed : errc::not_supported);
  }
  bool killed() const noexcept override { return record_->dead(); }
  void log(std::string_view line) noexcept override {
    record_->world->time.check_caller("log");
    record_->world->time.step();
    if (record_->dead()) return;
    published<std::string>& logged = record_->world->logged;
    logged.add(join(record_->name, ": ", line));
    record_->world->time.note(happening::logged, 0, static_cast<std::uint32_t>(logged.size() - 1));
  }

 private:
  static void close_all(process_ref killed);

  process_ref record_;
  own_names names_{record_};
  std::unique_ptr<backend::files> files_;  ///< once it is asked for
  std::unique_ptr<backend::impersonator> impersonator_ = make_impersonator(record_);
  std::unique_ptr<backend::threads> threads_ = make_threads(record_);
};
static_assert(backend::implements<process, backend::process>);

/// What a killed process still has open, in an order of closing that is left to choice: one of the next few
/// that others see the end of, or the next that they don't. Each place of its table is looked at once.
class closing_order {
 public:
  explicit closing_order(process_record& of) noexcept : of_(of) {}

  /// Null: nothing is open any more.
  handle* next() {
    std::erase_if(seen_, [this](std::size_t place) { return open_at(place) == nullptr; });
    while (seen_.size() < most && next_ < of_.handles.size()) {
      handle* const here = open_at(next_++);
      if (here == nullptr) continue;
      if (here->socket() == nullptr) return here;
      seen_.push_back(next_ - 1);
    }
    return seen_.empty() ? nullptr : open_at(seen_[of_.world->time.choose(seen_.size(), choice::close)]);
  }

 private:
  static constexpr std::size_t most = 8;
  // Its owner may have gone meanwhile, and the handle with it.
  [[nodiscard]] handle* open_at(std::size_t place) const noexcept {
    handle* const found = place < of_.handles.size() ? of_.handles.at(place) : nullptr;
    return found != nullptr && found->open() ? found : nullptr;
  }

  process_record& of_;
  std::size_t next_ = 0;           ///< place that wasn't looked at
  std::vector<std::size_t> seen_;  ///< places of some that others see the end of
};

// The kernel closes one after the other, in an order that is its own, and others see each state in between.
// The process's own threads do nothing meanwhile; and a process that ends by itself, or from outside the
// world, does it at one moment.
void process::close_all(process_ref killed) {
  scheduler& time = killed->world->time;
  const process_record* const killer = time.current().process;
  const bool seen = killer != nullptr && killer != killed.get();
  if (seen && !std::exchange(killed->paused, true)) time.pause_threads(*killed);
  if (!seen) {
    for (std::size_t i = 0; i < killed->handles.size(); ++i) {
      if (handle* const each = killed->handles.at(i)) each->end(errc::process_killed);
    }
  } else {
    closing_order order(*killed);
    while (handle* const next = order.next()) {
      next->end(errc::process_killed);
      time.point();
    }
  }
  killed->life->gone = true;
  killed->paused = false;
  time.kill_threads(*killed);
}

}  // namespace

std::shared_ptr<const identity> process_record::seen_by_others() {
  if (!acts_as() && own_face) return own_face;
  auto made = std::make_shared<identity>(effective());
  made->process = life;
  if (!acts_as()) own_face = made;
  return made;
}

bool life::exited() const noexcept {
  if (const auto in = world.lock()) {
    in->time.check_caller("process_handle::exited");
    in->time.point();
  }
  return gone;
}

// Who gives hundreds of names has made them different.
std::string process_record::distinct(const std::string& wanted) {
  constexpr std::size_t enough = 16;
  for (auto& [used, times] : thread_names) {
    if (used == wanted) return join(wanted, ' ', ++times);
  }
  if (thread_names.size() < enough) thread_names.push_back({wanted});
  return wanted;
}

std::unique_ptr<backend::process> make_process(process_ref record) {
  return std::make_unique<process>(std::move(record));
}

process_record& record_of(backend::process& which) {
  return dynamic_cast<process&>(which).record();
}

std::string left_open(backend::process& ended) {
  const process_record& record = record_of(ended);
  const scheduler& time = record.world->time;
  std::string text;
  const auto add = [&](const std::string& what) { text.append(text.empty() ? "" : ", ").append(what); };
  for (const handle* const each : record.handles) {
    if (each->ended() == errc::none) add(each->describe());
  }
  for (const auto& each : time.threads()) {
    if (each->process == &record && each.get() != &time.current()) add("the thread '" + each->name + "'");
  }
  if (record.tasks == 1) add("a coroutine that has not ended");
  if (record.tasks > 1) add(join(record.tasks, " coroutines that have not ended"));
  return text;
}

void kill(backend::process& victim) {
  auto* const ours = dynamic_cast<process*>(&victim);
  if (ours == nullptr) detail::fatal("kill() of a process that is in no simulated world");
  ours->kill();
}

}  // namespace tp::sim
