// The real twin for the conformance suite: each party is a thread, with the credentials of its user.
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <mutex>
#include <thread>
#include <utility>
#include <vector>

#include "conformance/party.hpp"
#include "conformance/twin.hpp"
#include "fatal.hpp"
#include "process.hpp"
#include "support/real_user.hpp"
#include "twinpipe/backend/twin.hpp"

namespace tp::conformance {
namespace {

// Nobody has these numbers; no accounts are needed.
const test::real_user alice{54321, 54321, {54400}};
const test::real_user bob{54322, 54322, {}};

static_assert(backend::makes_process<decltype(platform::make_process)&>);

std::unique_ptr<backend::process> make_real_process() {
  auto made = platform::make_process();
  if (!made) detail::fatal("this system cannot be tested: " + made.error().message());
  return std::move(*made);
}

class real_twin final : public twin {
 public:
  ~real_twin() override {
    if (!base_.empty()) test::remove_directory(base_);
  }

  std::string_view name() const noexcept override { return "real"; }
  backend::capabilities features() override { return probe_->features(); }
  // Who isn't root can't be another user; older kernels have no handles of peers (SO_PEERPIDFD, 6.5).
  bool may_lack(capability what) override {
    return what == capability::impersonation || what == capability::exit_handle || !has(features(), what);
  }
  std::size_t pipe_capacity() const override { return test::socket_capacity(); }
  std::uint32_t uid(user who) const override { return id(who).uid; }
  std::uint32_t gid(user who) const override { return id(who).gid; }
  std::uint32_t shared_group() const override { return alice.groups.front(); }

  std::string make_directory(user owner, const std::string& below, unsigned mode) override {
    if (base_.empty()) base_ = test::make_private_directory();
    std::string path = base_ + "/" + std::to_string(++directories_) + below;
    test::make_directory(path, id(owner), mode);
    return path;
  }
  void make_file(const std::string& path, const std::string& contents, const file_options& options) override {
    const std::uint32_t group = options.shared_group ? shared_group() : gid(options.owner);
    test::make_file(path, contents, uid(options.owner), group, options.mode);
  }

  std::unique_ptr<backend::process> make_process(user) override { return make_real_process(); }
  std::unique_ptr<backend::mutex> make_lock() override {
    return probe_->threads().make_mutex(backend::mutex_kind::leaf);
  }
  void run(world& in, parties& all) override;
  std::size_t open_descriptors() const override { return test::count_descriptors(); }

 private:
  const test::real_user& id(user who) const {
    return who == user::own ? own_ : who == user::alice ? alice : bob;
  }
  void run_party(world& in, party& each);

  const test::real_user own_ = test::this_user();
  const std::unique_ptr<backend::process> probe_ = make_real_process();
  std::string base_;
  int directories_ = 0;
  std::mutex lock_;
  std::condition_variable finished_one_;
  std::size_t unfinished_ = 0;  ///< guarded
};

void real_twin::run_party(world& in, party& each) {
  test::become(id(each.who()));
  each.begin();
  // A party that has ended goes on turning: others may still depend on what its runtime does in passing.
  while (each.begun() && !in.all_ended()) {
    each.turn(each.ended() ? deadline_after(each.rt().now(), std::chrono::milliseconds(1)) : never);
  }
  each.finish();
  const std::lock_guard hold(lock_);
  --unfinished_;
  finished_one_.notify_all();
}

void real_twin::run(world& in, parties& all) {
  unfinished_ = all.size();
  // Made here and now, by a thread that may: a party's may not.
  in.directory();
  for (const auto& each : all) in.directory(each->who());
  std::vector<std::jthread> threads;
  for (const auto& each : all) threads.emplace_back([this, &in, &each] { run_party(in, *each); });
  const auto everybody = [this] { return unfinished_ == 0; };
  std::unique_lock hold(lock_);
  if (finished_one_.wait_for(hold, std::chrono::seconds(in.has_fault() ? 5 : 20), everybody)) return;
  hold.unlock();
  in.give_up("the parties don't end");
  hold.lock();
  if (finished_one_.wait_for(hold, std::chrono::seconds(10), everybody)) return;
  detail::fatal("a conformance case doesn't end: " + in.failures().back());
}

}  // namespace

std::unique_ptr<twin> make_twin() {
  return std::make_unique<real_twin>();
}

void add_tests(const conformance_case&) {}

// The runs wait far more than they work.
void run_beside(const std::vector<std::function<void()>>& jobs) {
  std::atomic<std::size_t> next = 0;
  const auto work = [&] {
    for (std::size_t mine = next++; mine < jobs.size(); mine = next++) jobs[mine]();
  };
  std::vector<std::jthread> threads;
  for (std::size_t i = 0; i < 6; ++i) threads.emplace_back(work);
}

}  // namespace tp::conformance
