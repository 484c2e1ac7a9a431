// A script on the running system.
#include <unistd.h>

#include <csignal>
#include <cstdio>
#include <utility>

#include "kept_directory.hpp"
#include "real_process.hpp"
#include "side.hpp"
#include "stillness.hpp"
#include "support/real_user.hpp"

namespace tp::test::parity::api {

namespace {

/// Users and files, for all scripts of this program. Nobody has these numbers; no accounts are needed.
struct stage {
  const std::array<real_user, persons> users{this_user(), real_user{54'321, 54'321, {54'400}},
                                             real_user{54'322, 54'322, {}}};
  const kept_directory kept{};
  const std::string& base = kept.path();

  stage() {
    for (std::size_t i = 0; i < persons; ++i) make_directory(folder(i), owner(i), 0755);
    make_directory(base + "/files", users[0], 0755);
    for (const shelf_entry& each : shelf) {
      const real_user& whose = owner(std::to_underlying(each.owner));
      const std::uint32_t group = each.shared_group && may_be_others() ? users[1].groups[0] : whose.gid;
      make_file(base + "/files/" + each.name, each.name, whose.uid, group, each.mode);
    }
  }
  [[nodiscard]] std::string folder(std::size_t i) const { return base + "/" + std::to_string(i); }
  [[nodiscard]] const real_user& owner(std::size_t i) const { return users.at(may_be_others() ? i : 0); }
};

/// Catch2 reports SIGTERM and SIGINT from a handler that allocates: it may wait for ever for what the call
/// that it interrupts holds. It installs it for each test case, and takes it away afterwards.
void be_ended_by_signals() {
  for (const int each : {SIGTERM, SIGINT}) std::signal(each, SIG_DFL);
}

class system_side final : public side {
 public:
  explicit system_side(const cast& who) {
    be_ended_by_signals();
    static const stage prepared;
    static unsigned scripts = 0;
    ++scripts;
    where_.group = prepared.users[1].groups[0];
    where_.servers = who.servers;
    where_.blocking = who.blocking;
    for (std::size_t i = 0; i < persons; ++i) {
      where_.uids.at(i) = prepared.users.at(i).uid;
      where_.folders.at(i) = prepared.folder(i);
    }
    // Of each script its own: names of those who crashed stay.
    for (std::size_t i = 0; i < places; ++i) {
      const std::string name = "place" + std::to_string(i) + "-" + std::to_string(scripts);
      // Names without a file are the whole machine's.
      const std::string prefix = "unix-abstract:twinpipe-test-" + std::to_string(::getpid()) + "-";
      where_.names.at(i) = who.abstract.at(i) ? prefix + name : name;
    }
    for (const shelf_entry& each : shelf) where_.files.push_back(prepared.base + "/files/" + each.name);
    where_.files.push_back(prepared.base + "/files/missing");
    for (const person each : who.who)
      processes_.emplace_back(where_, prepared.owner(std::to_underlying(each)));
  }
  ~system_side() override {
    processes_.clear();
    for (std::size_t i = 0; i < places; ++i) {
      const std::string path =
          where_.folders.at(std::to_underlying(where_.servers.at(i))) + "/" + where_.names.at(i);
      static_cast<void>(std::remove(path.c_str()));
      static_cast<void>(std::remove((path + ".lock").c_str()));
    }
  }

  void start(const step& s) override {
    real_process& of = processes_.at(s.process);
    if (s.what == verb::crash) return of.crash();
    of.start(s);
  }
  std::vector<completion> settle(bool large) override {
    // Threads go on between turns, and it shows when they don't any more.
    const int enough = large && !where_.blocking ? 16 : 1;
    for (int idle = 0; idle < enough; ++idle) {
      if (where_.blocking && !wait_for_stillness(pids())) restless_ = true;
      for (real_process& each : processes_) {
        if (each.sweep()) idle = -1;
      }
    }
    std::vector<completion> all;
    for (real_process& each : processes_) {
      for (const completion& c : each.take()) all.push_back(c);
    }
    return all;
  }
  void wait_for(std::uint8_t process, std::uint16_t op) override { processes_.at(process).wait_for(op); }
  void pass(duration d) override {
    static_cast<void>(
        ::usleep(static_cast<useconds_t>(std::chrono::duration_cast<std::chrono::microseconds>(d).count())));
  }
  std::string accident() const override {
    if (restless_) return "some thread goes on and on";
    for (const real_process& each : processes_) {
      if (!each.accident().empty()) return each.accident();
    }
    return {};
  }

 private:
  [[nodiscard]] std::vector<int> pids() const {
    std::vector<int> all;
    for (const real_process& each : processes_) {
      if (each.pid() > 0) all.push_back(each.pid());
    }
    return all;
  }

  bool restless_ = false;
  setting where_;
  std::vector<real_process> processes_;
};

}  // namespace

bool may_be_others() {
  return ::geteuid() == 0;
}

std::unique_ptr<side> real_side(const cast& who) {
  return std::make_unique<system_side>(who);
}

}  // namespace tp::test::parity::api
