// The twin in memory: each party is a thread of its process; time is the world's own.
#include "conformance/fixture_sim.hpp"

#include <map>
#include <utility>
#include <vector>

#include "conformance/party.hpp"
#include "fatal.hpp"
#include "support/forwarded_operation.hpp"
#include "twinpipe/backend/twin.hpp"
#include "twinpipe/sim/world.hpp"

namespace tp::conformance {
namespace {

static_assert(
    backend::makes_process<decltype(&sim::world::make_process), sim::world&, std::string, sim::user_id>);

constexpr std::uint32_t group_of_alice = 7000;

/// Whole buffers of up to 36,544 bytes are taken while those before cost less than 212,992, and none costs
/// less than it holds (sim/unix_charges.hpp).
constexpr std::size_t most_bytes = 212'992 + 36'544;

class memory_twin final : public memory {
 public:
  explicit memory_twin(sim::answerer* choices, bool short_io = false)
      : own_(world_.user("own", sim::privileged)),
        alice_(world_.user("alice", sim::privilege::none, {group_of_alice})),
        bob_(world_.user("bob")),
        probe_(world_.make_process("fixture", own_)),
        short_io_(short_io) {
    current_ = this;
    test::simulated_threads = &probe_->threads();
    world_.answer_with(choices);
    world_.short_io(short_io);
  }
  ~memory_twin() override {
    current_ = nullptr;
    test::simulated_threads = nullptr;
  }

  static backend::process& behind(tp::process& home) { return *current_->made_.at(&home); }

  std::string_view name() const noexcept override { return "sim"; }
  backend::capabilities features() override { return probe_->features(); }
  bool may_lack(capability what) override { return !has(features(), what); }
  std::size_t pipe_capacity() const override { return most_bytes; }
  bool short_io() const override { return short_io_; }
  std::uint32_t uid(user who) const override { return id(who).uid; }
  std::uint32_t gid(user who) const override { return id(who).uid; }
  std::uint32_t shared_group() const override { return group_of_alice; }

  std::string make_directory(user owner, const std::string& below, unsigned mode) override {
    const std::string top = "/case/" + std::to_string(++directories_), path = top + below;
    for (auto end = top.size(); end != std::string::npos;) {
      end = path.find('/', end + 1);
      world_.directory(path.substr(0, end), {.owner = id(owner), .group = gid(owner), .mode = mode});
    }
    return path;
  }
  void make_file(const std::string& path, const std::string& contents, const file_options& options) override {
    world_.file(path, {.owner = id(options.owner),
                       .group = options.shared_group ? group_of_alice : gid(options.owner),
                       .mode = options.mode,
                       .contents = contents});
  }

  std::unique_ptr<backend::process> make_process(user who) override {
    auto made = world_.make_process("party", id(who));
    last_made_ = made.get();
    return made;
  }
  std::unique_ptr<backend::mutex> make_lock() override {
    return probe_->threads().make_mutex(backend::mutex_kind::leaf);
  }
  void run(world& in, parties& all) override;
  std::size_t open_descriptors() const override { return 0; }
  std::string recent_events() const override { return world_.recent_events(); }

 private:
  sim::user_id id(user who) const { return who == user::own ? own_ : who == user::alice ? alice_ : bob_; }
  void run_party(world& in, party& each);

  static inline memory_twin* current_ = nullptr;  ///< they take turns

  sim::world world_;
  sim::user_id own_, alice_, bob_;
  std::unique_ptr<backend::process> probe_;
  std::map<tp::process*, backend::process*> made_;  ///< that of the world behind each
  backend::process* last_made_ = nullptr;
  int directories_ = 0;
  const bool short_io_;
};

void memory_twin::run_party(world& in, party& each) {
  each.begin();
  // A party that has ended goes on turning: others may still depend on what its runtime does in passing.
  while (each.begun() && !in.all_ended()) each.turn(never);
  each.finish();
}

void memory_twin::run(world& in, parties& all) {
  constexpr std::uint64_t steps_enough = 4'000'000;
  std::vector<std::unique_ptr<backend::thread>> threads;
  for (const auto& each : all) {
    tp::process& home = each->home();
    backend::process& own = *made_.try_emplace(&home, last_made_).first->second;
    auto started = own.threads().start_thread(each->label(), [&] { run_party(in, *each); });
    threads.push_back(std::move(*started));
  }
  // Whoever sleeps when all have ended has to see it.
  const auto wake_all = [&] {
    for (const auto& each : all) {
      if (each->begun()) each->rt().post([] {});
    }
  };
  world_.allow_steps(steps_enough);
  if (const auto end = world_.run(); end != sim::run_end::stalled)
    in.give_up(end == sim::run_end::failed ? world_.failure() : "every program has ended");
  if (!in.all_ended()) in.give_up("nothing can ever happen any more");
  world_.allow_steps(steps_enough);
  for (int i = 0; i < 3 && world_.threads() > 0; ++i) {
    wake_all();
    world_.run();
  }
  if (world_.threads() > 0) detail::fatal("a conformance case doesn't end: " + in.failures().back());
}

}  // namespace

std::unique_ptr<twin> make_twin() {
  return std::make_unique<memory_twin>(nullptr);
}

std::unique_ptr<memory> make_memory(sim::answerer& choices, bool short_io) {
  return std::make_unique<memory_twin>(&choices, short_io);
}

backend::threads& threads_of(tp::process& home) {
  return memory_twin::behind(home).threads();
}

void run_beside(const std::vector<std::function<void()>>& jobs) {
  for (const auto& each : jobs) each();
}

}  // namespace tp::conformance
