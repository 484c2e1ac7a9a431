// A simulated process. Killed or destroyed, the kernel takes back all it holds, first opened first.
#include "fatal.hpp"
#include "kernel.hpp"
#include "twinpipe/backend/twin.hpp"

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

class process final : public backend::process {
 public:
  explicit process(process_ref record) : record_(std::move(record)) {}
  ~process() override {
    kill();
    while (!record_->handles.empty()) {
      handle& first = *record_->handles.front();
      record_->handles.erase(record_->handles.begin());
      first.die();
    }
  }
  void kill() {
    if (std::exchange(record_->life->over, true)) return;
    record_->world->time.note(happening::killed, record_->self.pid.value);
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
  backend::files& files() noexcept override { return *files_; }
  backend::impersonator& impersonator() noexcept override { return *impersonator_; }
  backend::threads& threads() noexcept override { return *threads_; }
  result<std::unique_ptr<backend::system>> make_system(const backend::system_options& options) override {
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
    if (record_->dead()) return;
    record_->world->time.note(happening::logged, 0, static_cast<std::uint32_t>(record_->world->trace.size()));
    record_->world->trace.push_back(record_->name + ": " + std::string(line));
  }

 private:
  static void close_all(process_ref killed);

  process_ref record_;
  own_names names_{record_};
  std::unique_ptr<backend::files> files_ = make_files(record_);
  std::unique_ptr<backend::impersonator> impersonator_ = make_impersonator(record_);
  std::unique_ptr<backend::threads> threads_ = make_threads(record_);
};
static_assert(backend::implements<process, backend::process>);

// The kernel closes one after the other, and others see each state in between. The process's own threads do
// nothing meanwhile; and a process that ends by itself, or from outside the world, does it at one moment.
void process::close_all(process_ref killed) {
  scheduler& time = killed->world->time;
  const process_record* const killer = time.current().process;
  const bool seen = killer != nullptr && killer != killed.get();
  if (seen && !std::exchange(killed->paused, true)) time.pause_threads(*killed);
  bool first = true;
  for (std::size_t i = 0; i < killed->handles.size(); ++i) {
    if (!killed->handles[i]->open()) continue;
    if (seen && !std::exchange(first, false)) time.point();
    if (i < killed->handles.size()) killed->handles[i]->end(errc::process_killed);
  }
  killed->life->gone = true;
  killed->paused = false;
  time.kill_threads(*killed);
}

}  // namespace

std::string process_record::label(const std::string& thread) const {
  const auto& user = world->users.at(self.uid.value).name;
  return std::string(short_name()) + "/" + thread + " (" + user + ")";
}

std::shared_ptr<const identity> process_record::seen_by_others() {
  if (!acts_as() && own_face) return own_face;
  auto made = std::make_shared<identity>(effective());
  made->process = life;
  if (!acts_as()) own_face = made;
  return made;
}

std::unique_ptr<backend::process> make_process(process_ref record) {
  return std::make_unique<process>(std::move(record));
}

process_record& record_of(backend::process& which) {
  return dynamic_cast<process&>(which).record();
}

std::string left_open(backend::process& ended) {
  std::string text;
  for (const handle* const each : record_of(ended).handles) {
    if (each->ended() == errc::none) text.append(text.empty() ? "" : ", ").append(each->describe());
  }
  return text;
}

void kill(backend::process& victim) {
  auto* const ours = dynamic_cast<process*>(&victim);
  if (ours == nullptr) detail::fatal("kill() of a process that is in no simulated world");
  ours->kill();
}

}  // namespace tp::sim
