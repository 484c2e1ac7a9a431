// The twin in memory: all parties on one thread, turned one after the other; time is the world's own.
#include <utility>

#include "conformance/party.hpp"
#include "conformance/twin.hpp"
#include "fatal.hpp"
#include "twinpipe/backend/twin.hpp"
#include "twinpipe/sim/world.hpp"

namespace tp::conformance {
namespace {

static_assert(
    backend::makes_process<decltype(&sim::world::make_process), sim::world&, std::string, sim::user_id>);

constexpr std::uint32_t group_of_alice = 7000;

class memory_twin final : public twin {
 public:
  memory_twin()
      : own_(world_.user("own", sim::privileged)),
        alice_(world_.user("alice", sim::privilege::none, {group_of_alice})),
        bob_(world_.user("bob")),
        probe_(world_.make_process("fixture", own_)) {}

  std::string_view name() const noexcept override { return "sim"; }
  backend::capabilities features() override { return probe_->features(); }
  bool may_lack(capability what) override { return !has(features(), what); }
  std::size_t pipe_capacity() const override { return std::size_t{208} << 10; }  // sim/connection.cpp
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
    return world_.make_process("party", id(who));
  }
  std::unique_ptr<backend::mutex> make_lock() override {
    return probe_->threads().make_mutex(backend::mutex_kind::leaf);
  }
  void run(world& in, parties& all) override;
  std::size_t open_descriptors() const override { return 0; }

 private:
  sim::user_id id(user who) const { return who == user::own ? own_ : who == user::alice ? alice_ : bob_; }
  void watch_over(world& in, bool stalled);

  sim::world world_;
  sim::user_id own_, alice_, bob_;
  std::unique_ptr<backend::process> probe_;
  int directories_ = 0;
  long turns_ = 0;
};

void memory_twin::run(world& in, parties& all) {
  for (const auto& each : all) each->begin();
  while (!in.all_ended()) {
    for (const auto& each : all) {
      if (!each->begun() || in.all_ended()) continue;
      watch_over(in, each->turn(never) == turned::stalled);
    }
  }
  for (const auto& each : all) each->finish();
}

// Virtual time costs nothing, so it is turns that are bounded.
void memory_twin::watch_over(world& in, bool stalled) {
  constexpr long turns_enough = 2'000'000;
  if (!stalled && ++turns_ < turns_enough) return;
  if (in.given_up()) {
    if (turns_ < turns_enough + 1000) return;
    detail::fatal("a conformance case doesn't end: " + in.failures().back());
  }
  turns_ = turns_enough;
  in.give_up(stalled ? "nothing can ever happen any more" : "no end after two million turns");
}

}  // namespace

std::unique_ptr<twin> make_twin() {
  return std::make_unique<memory_twin>();
}

void run_beside(const std::vector<std::function<void()>>& jobs) {
  for (const auto& each : jobs) each();
}

}  // namespace tp::conformance
