// A script in a world: its processes are used from outside, by the thread that plays the script.
#include <optional>
#include <utility>

#include "actor.hpp"
#include "parity/random.hpp"
#include "side.hpp"
#include "sim/planted.hpp"
#include "twinpipe/sim/world.hpp"

namespace tp::test::parity::api {

namespace {

constexpr std::uint32_t shared_group = 54'400;

class by_seed final : public sim::answerer {
 public:
  explicit by_seed(std::uint64_t seed) : numbers_(seed) {}
  std::uint32_t answer(std::uint32_t bound, sim::choice) override {
    return static_cast<std::uint32_t>(numbers_.below(bound));
  }

 private:
  generator numbers_;
};

class world_side final : public side {
 public:
  world_side(const cast& who, std::uint64_t seed, bool explored, flaw wrong) : wrong_(wrong), choices_(seed) {
    prepare(who);
    for (const person each : who.who) {
      lives_.emplace_back(world_.make_process("actor", users_.at(std::to_underlying(each))), where_);
    }
    if (explored) world_.answer_with(&choices_);
  }

  void start(const step& s) override {
    life& of = lives_.at(s.process);
    if (s.what == verb::crash) return crash(of);
    if (of.plays()) of.actor->start(s);
  }
  std::vector<completion> settle(bool) override {
    for (bool moved = true; moved;) {
      moved = false;
      // Time passes only when no thread can go on.
      if (where_.blocking) clock_->threads().sleep_until(world_.now() + std::chrono::nanoseconds(1));
      for (life& each : lives_) {
        while (each.plays() && each.actor->turn(time_point::min())) moved = true;
      }
    }
    std::vector<completion> all;
    for (life& each : lives_) {
      if (!each.plays()) continue;
      bool pierced = false;
      for (const completion& c : each.actor->take()) {
        all.push_back(c);
        pierced = pierced || (c.what == verb::send && c.code == errc::broken_pipe);
      }
      if (wrong_ == flaw::death_by_sigpipe && pierced) crash(each);
    }
    return all;
  }
  void wait_for(std::uint8_t process, std::uint16_t op) override {
    if (!lives_.at(process).plays()) return;
    actor& waiting = *lives_.at(process).actor;
    const time_point enough = world_.now() + std::chrono::seconds(10);
    while (waiting.waits_for(op) && world_.now() < enough) waiting.turn(enough);
  }
  void pass(duration d) override {
    const time_point until = world_.now() + d;
    for (life& each : lives_) {
      while (each.plays() && world_.now() < until) each.actor->turn(until);
    }
  }
  std::string accident() const override { return {}; }

 private:
  struct life {
    life(std::unique_ptr<backend::process> made, const setting& where)
        : twin(std::move(made)),
          home(std::make_unique<process>(*twin)),
          actor(make_actor(*home, where, where.blocking)) {}
    [[nodiscard]] bool plays() const noexcept { return actor && !is_frozen; }
    std::unique_ptr<backend::process> twin;
    std::unique_ptr<process> home;
    std::unique_ptr<api::actor> actor;
    bool is_frozen = false;
  };

  void crash(life& of) {
    of.is_frozen = wrong_ == flaw::death_closes_nothing;
    if (of.is_frozen) return;
    world_.kill(*of.twin);
    of.actor.reset();
    of.home.reset();
    if (wrong_ == flaw::death_takes_names) sim::planted::forget_left_sockets(*of.twin);
  }

  void prepare(const cast& who) {
    const auto rights = may_be_others() ? sim::privileged : sim::privilege::none;
    users_ = {world_.user("own", rights), world_.user("alice", sim::privilege::none, {shared_group}),
              world_.user("bob")};
    where_.group = shared_group;
    where_.servers = who.servers;
    where_.blocking = who.blocking;
    for (std::size_t i = 0; i < persons; ++i) {
      where_.uids.at(i) = users_.at(i).uid;
      where_.folders.at(i) = "/names/" + std::to_string(i);
      world_.directory(where_.folders.at(i),
                       {.owner = users_.at(i), .group = users_.at(i).uid, .mode = 0755});
    }
    for (std::size_t i = 0; i < places; ++i) {
      where_.names.at(i) = (who.abstract.at(i) ? "unix-abstract:place" : "place") + std::to_string(i);
    }
    for (const shelf_entry& each : shelf) {
      const auto owner = users_.at(may_be_others() ? std::to_underlying(each.owner) : 0);
      where_.files.push_back(std::string("/files/") + each.name);
      world_.file(where_.files.back(),
                  {.owner = owner,
                   .group = each.shared_group && may_be_others() ? shared_group : owner.uid,
                   .mode = each.mode,
                   .contents = each.name});
    }
    where_.files.emplace_back("/files/missing");
  }

  const flaw wrong_;
  by_seed choices_;
  sim::world world_;
  std::array<sim::user_id, persons> users_{};
  setting where_;
  std::unique_ptr<backend::process> clock_ = world_.make_process("clock", world_.user("nobody"));
  std::vector<life> lives_;
};

}  // namespace

std::unique_ptr<side> simulated_side(const cast& who, std::uint64_t seed, bool explored, flaw wrong) {
  return std::make_unique<world_side>(who, seed, explored, wrong);
}

}  // namespace tp::test::parity::api
