// Programs of a world: their processes, and what becomes of their results.
#include <exception>
#include <stdexcept>
#include <utility>

#include "kernel.hpp"
#include "text.hpp"
#include "twinpipe/detail/killed.hpp"
#include "twinpipe/process.hpp"

namespace tp::sim {

resident_program::resident_program(std::shared_ptr<world::state> world, machine& on, std::string name,
                                   user_id user, program main, program_options options)
    : world_(std::move(world)),
      on_(on),
      name_(std::move(name)),
      user_(user),
      main_(std::move(main)),
      options_(std::move(options)) {
  start();
}

resident_program::~resident_program() = default;

bool resident_program::runs_in(const process_record& process) const {
  return runs_ && &record_of(*twin_) == &process;
}

// A thread of a killed process does nothing to others any more.
void resident_program::check_alive() const {
  world_->time.check_caller("kill, pause or restart");
  if (world_->time.current().dying) detail::leave_killed();
}

void resident_program::start() {
  check_alive();
  twin_ = on_.make_process(name_, user_, background());
  result_.reset();
  runs_ = true;
  began_ = false;
  if (!background()) ++world_->foreground;
  auto started = twin_->threads().start_thread("main", [this] { run(); });
  if (started) thread_ = std::move(*started);  // else it was killed meanwhile
}

void resident_program::leave_foreground() {
  if (!background() && --world_->foreground == 0) world_->time.wake(world_->time.outside());
}

void resident_program::run() {
  std::string thrown;
  began_ = true;
  try {
    tp::process self(*twin_, options_.arguments);
    const int code = main_(self);
    const int of_threads = self.join();
    if (!twin_->killed()) result_ = code != 0 ? code : of_threads;
  } catch (const detail::process_killed&) {
    result_.reset();
  } catch (const std::exception& exception) {
    thrown = std::string("an exception left it: ") + exception.what();
  } catch (...) {
    thrown = "an exception left it that is no std::exception";
  }
  runs_ = false;
  if (result_) {
    world_->time.remark(happening::returned, record_of(*twin_).number, static_cast<std::uint32_t>(*result_));
  }
  leave_foreground();
  if (!thrown.empty()) fail_run(*world_, "the program '" + on_.full_name(name_) + "' failed: " + thrown);
  if (result_.value_or(0) != 0)
    fail_run(*world_, "the program '" + on_.full_name(name_) + "' returned " + std::to_string(*result_));
  if (twin_->killed()) return;
  if (const std::string open = left_open(*twin_); !open.empty())
    fail_run(*world_, "the program '" + on_.full_name(name_) + "' ended and left open: " + open);
  sim::kill(*twin_);  // as exit(2) does
}

void resident_program::kill() {
  check_alive();
  if (twin_->killed()) return;
  if (std::exchange(record_of(*twin_).paused, false)) world_->time.resume_threads(record_of(*twin_));
  sim::kill(*twin_);
  if (!runs_ || began_) return;
  runs_ = false;
  leave_foreground();
}

void resident_program::pause() {
  check_alive();
  record_of(*twin_).paused = true;
  world_->time.pause_threads(record_of(*twin_), true);
}

void resident_program::resume() {
  check_alive();
  if (twin_->killed()) return;
  record_of(*twin_).paused = false;
  world_->time.resume_threads(record_of(*twin_), true);
}

void resident_program::restart() {
  check_alive();
  if (runs_)
    throw std::logic_error(join("restart of '", on_.full_name(name_),
                                "', which runs: kill() it first, or wait until ", "it has a result()"));
  thread_.reset();
  start();
}

}  // namespace tp::sim
