// A world: its users, its files, and the birth of its processes.
#include "twinpipe/sim/world.hpp"

#include "fatal.hpp"
#include "kernel.hpp"
#include "trace.hpp"
#include "twinpipe/detail/lost_error.hpp"
#include "verdict.hpp"

namespace tp::sim {
namespace {

/// Directories that are missing on the way appear with it.
void put(std::map<std::string, node>& files, const std::string& path, node what) {
  for (auto slash = path.find('/', 1); slash != std::string::npos; slash = path.find('/', slash + 1))
    files.try_emplace(path.substr(0, slash));
  files.insert_or_assign(path, std::move(what));
}

}  // namespace

world::state::state(std::size_t kept_events) : time(kept_events) {}
world::state::~state() = default;

world::world() : world(256) {}

world::world(std::size_t kept_events) : state_(std::make_shared<state>(kept_events)) {
  tp::detail::when_error_is_lost = [](const error& lost) {
    world::state* const here = scheduler::running;
    if (here == nullptr || here->time.current().dying) return;
    fail_run(*here,
             "a task_group was destroyed without the join that would have told an error: " + lost.message());
  };
  state_->time.on_step_bound = [this] {
    fail_run(*state_, "no end after so many steps as were allowed: some thread goes round for ever");
  };
}

world::~world() {
  for (const auto& each : state_->programs) each->kill();
  state_->programs.clear();
}

user_id world::user(std::string name, privilege rights, std::vector<std::uint32_t> groups) {
  const std::uint32_t uid = rights == privilege::superuser ? 0 : state_->next_uid++;
  state_->users.insert_or_assign(uid, state::known_user{std::move(name), std::move(groups)});
  return {uid};
}

void world::file(std::string path, file_attributes a) {
  put(state_->files, path, {a.owner.uid, a.group, a.mode, false, std::move(a.contents)});
}

void world::directory(std::string path, file_attributes a) {
  put(state_->files, path, {a.owner.uid, a.group, a.mode});
}

std::unique_ptr<backend::process> make_process(const std::shared_ptr<world::state>& world, std::string name,
                                               user_id user, bool background) {
  const auto known = world->users.find(user.uid);
  if (known == world->users.end()) detail::fatal("make_process for a user whom this world doesn't have");
  identity self;
  self.uid = {user.uid, trust::authoritative};
  self.gid = {user.uid, trust::authoritative};
  self.groups = {known->second.groups, trust::authoritative};
  self.pid = {world->next_pid++, trust::advisory};
  name += ", pid " + std::to_string(self.pid.value);
  return sim::make_process(std::make_shared<process_record>(world, std::move(name), background, self));
}

std::unique_ptr<backend::process> world::make_process(std::string name, user_id user) {
  return sim::make_process(state_, std::move(name), user);
}

hosted& world::process(std::string name, user_id user, program main, program_options options) {
  return *state_->programs.emplace_back(
      std::make_unique<resident_program>(state_, std::move(name), user, std::move(main), std::move(options)));
}

run_end world::run() {
  const auto over = [&] { return !state_->programs.empty() && state_->foreground == 0; };
  if (!over()) state_->time.block(wait::world_end, this, never);
  if (!state_->failure.empty()) return run_end::failed;
  return over() ? run_end::finished : run_end::stalled;
}

void world::kill(backend::process& victim) {
  sim::kill(victim);
}

std::uint32_t world::choose(std::uint32_t bound) {
  return state_->time.choose(bound, choice::user);
}

void world::add_faults(fault_rule rule) {
  state_->fault_rules.push_back(std::move(rule));
}

void world::short_io(bool allowed) {
  state_->short_io = allowed;
}

const std::string& world::failure() const noexcept {
  return state_->failure;
}
std::string world::dump() const {
  return describe(*state_);
}
std::string world::recent_events() const {
  return trace_of(*state_, SIZE_MAX);
}
void world::allow_steps(std::uint64_t most) {
  state_->time.allow_steps(state_->time.steps() + most);
}
std::uint64_t world::steps() const noexcept {
  return state_->time.steps();
}
void world::answer_with(answerer* who) {
  state_->time.chronicle().answer_with(who);
}
std::uint64_t world::hash() const noexcept {
  return state_->time.chronicle().hash();
}
std::size_t world::threads() const noexcept {
  return state_->time.threads().size();
}

void fail_run(world::state& world, std::string why) {
  if (world.failure.empty()) world.failure = std::move(why);
  world.time.note(happening::failed);
  world.time.leave_for_good();
}

time_point world::now() const noexcept {
  return state_->time.now();
}
const std::vector<std::string>& world::trace() const noexcept {
  return state_->trace;
}

}  // namespace tp::sim
