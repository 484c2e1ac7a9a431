// A world: its users, its files, and the birth of its processes.
#include "twinpipe/sim/world.hpp"

#include <algorithm>
#include <optional>
#include <stdexcept>

#include "fatal.hpp"
#include "kernel.hpp"
#include "text.hpp"
#include "trace.hpp"
#include "twinpipe/detail/killed.hpp"
#include "twinpipe/detail/lost.hpp"
#include "verdict.hpp"

namespace tp::sim {
namespace {

/// As long as it lives, somebody looks after the world.
class guarded {
 public:
  explicit guarded(const std::shared_ptr<world::state>& what) : what_(*what) {
    if (what_.guarded) return;
    if (what_.own_guard == nullptr || what_.own_guard->patience() != what_.patience)
      what_.own_guard = make_guard(what_.patience);
    what_.own_guard->watch(what);
  }
  guarded(const guarded&) = delete;
  guarded& operator=(const guarded&) = delete;
  ~guarded() {
    if (!what_.guarded) what_.own_guard->leave(what_);
  }

 private:
  world::state& what_;
};

}  // namespace

world::state::state(std::size_t kept_events) : time(kept_events) {}
world::state::~state() = default;

namespace {

// What the core says of itself is told to the world whose thread does it.
void tell_of_losses() {
  static constexpr auto fail_here = [](const auto& why) {
    world::state* const here = scheduler::running;
    if (here != nullptr && !here->time.current().dying) fail_run(*here, why());
  };
  tp::detail::when_error_is_lost = [](const error& lost) {
    fail_here([&] {
      return "a task_group was destroyed without the join that would have told an error: " + lost.message();
    });
  };
  tp::detail::when_instances_are_lost = [](std::string_view endpoint, std::size_t taken) noexcept {
    fail_here([&] {
      return join("the endpoint '", endpoint, "' has ended with instances taken that nobody has: ", taken);
    });
  };
  tp::detail::when_tasks_change = [](int by) noexcept {
    if (world::state* const here = scheduler::running) here->time.current().process->tasks += by;
  };
}

}  // namespace

world::world() : world(256) {}

world::world(std::size_t kept_events)
    : state_(std::allocate_shared<state>(kept_memory<state>(), kept_events)) {
  tell_of_losses();
  state_->time.on_step_bound = [this](bool late) {
    auto& seen = state_->late_steps;
    if (!seen) seen.emplace(*state_, state_->time.steps() - 1);
    if (!late) return fail_run(*state_, seen->report());
    seen->count(state_->time.current());
  };
}

world::~world() {
  std::optional<guarded> here;
  try {
    if (!state_->time.threads().empty()) here.emplace(state_);  // they have to leave their frames
  } catch (const std::exception&) {
    // No thread or memory for a watchdog: then nobody watches.
  }
  for (const auto& each : state_->programs) each->kill();
  state_->programs.clear();
}

host& world::add_host(std::string name) {
  const auto has_name = [&](const auto& each) { return each->name() == name; };
  if (name.empty() || std::ranges::any_of(state_->others, has_name)) {
    throw std::invalid_argument(
        name.empty()
            ? "world::add_host: the name is empty, and reports call processes by it"
            : join("world::add_host: there is a host '", name, "' already; give each a name of its own"));
  }
  return *state_->others.emplace_back(std::make_unique<machine>(*state_, std::move(name)));
}

user_id world::user(std::string name, privilege rights, std::vector<std::uint32_t> groups) {
  return state_->local.user(std::move(name), rights, std::move(groups));
}

void world::file(std::string path, file_attributes attributes) {
  state_->local.file(std::move(path), std::move(attributes));
}

void world::directory(std::string path, file_attributes attributes) {
  state_->local.directory(std::move(path), std::move(attributes));
}

std::string world::state::label(std::uint32_t thread) const {
  if (thread == 0) return "outside";
  return thread <= known_threads.size() ? known_threads[thread - 1].label : join("thread ", thread);
}

std::string world::state::place_of(std::uint32_t number) const {
  for (std::size_t i = places.size(); i-- > 0;) {
    if (places[i].number == number) return places[i].where;
  }
  return {};
}

std::unique_ptr<backend::process> world::make_process(std::string name, user_id user) {
  return state_->local.make_process(std::move(name), user, false);
}

hosted& world::process(std::string name, user_id user, program main, program_options options) {
  return state_->local.process(std::move(name), user, std::move(main), std::move(options));
}

run_end world::run() {
  const auto over = [&] { return !state_->programs.empty() && state_->foreground == 0; };
  state_->time.check_caller("world::run");
  if (!over()) {
    const guarded here(state_);
    state_->time.block(wait::world_end, this, never);
  }
  check_accounts(*state_);
  if (!state_->failure.empty()) return run_end::failed;
  return over() ? run_end::finished : run_end::stalled;
}

void world::kill(backend::process& victim) {
  sim::kill(victim);
}

random_numbers& world::state::random_bytes() {
  constexpr std::uint64_t usual = 0x7477696e70697065;
  if (!random) random.emplace(usual ^ time.choose(std::size_t{1} << 16U, choice::random));
  return *random;
}

std::uint32_t world::choose(std::uint32_t bound) {
  state_->time.check_caller("world::choose");
  state_->time.step();
  if (state_->time.current().dying) detail::leave_killed();
  const std::uint32_t chosen = state_->time.choose(bound, choice::user);
  state_->time.remark(happening::chose, bound, chosen);
  return chosen;
}

void world::add_faults(fault_rule rule) {
  state_->fault_rules.push_back(std::move(rule));
}

void world::patience(duration of_real_time) {
  state_->patience = of_real_time;
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
  state_->late_steps.reset();
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
const std::vector<std::string>& world::trace() const {
  std::vector<std::string>& copied = state_->trace;
  for (std::size_t i = copied.size(); i < state_->logged.size(); ++i) copied.push_back(state_->logged[i]);
  return copied;
}

}  // namespace tp::sim
