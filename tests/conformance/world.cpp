// Worlds and flags of conformance cases.
#include "conformance/world.hpp"

#include <utility>

#include "conformance/host.hpp"
#include "conformance/party.hpp"
#include "conformance/twin.hpp"
#include "support/faulty_backend.hpp"

namespace tp::conformance {
namespace {

class hold {
 public:
  explicit hold(backend::mutex& lock) : lock_(lock) { lock_.lock(); }
  hold(const hold&) = delete;
  hold& operator=(const hold&) = delete;
  ~hold() { lock_.unlock(); }

 private:
  backend::mutex& lock_;
};

std::string short_name(const std::source_location& where) {
  const std::string path = where.file_name();
  return path.substr(path.rfind('/') + 1) + ":" + std::to_string(where.line());
}

}  // namespace

world::world(twin& place, test::ledger& ledger, bool under_faults)
    : twin_(place), ledger_(ledger), lock_(place.make_lock()), under_faults_(under_faults) {}
world::~world() = default;

backend::capabilities world::features() const {
  return twin_.features();
}
std::size_t world::pipe_capacity() const {
  return twin_.pipe_capacity();
}
bool world::short_io() const {
  return twin_.short_io();
}
bool world::has_fault() const noexcept {
  return ledger_.has_fault();
}
std::string world::fresh_name() {
  return "case-" + std::to_string(++names_);
}
std::uint32_t world::uid(user who) const {
  return twin_.uid(who);
}
std::uint32_t world::gid(user who) const {
  return twin_.gid(who);
}
std::uint32_t world::shared_group() const {
  return twin_.shared_group();
}

const std::string& world::directory(user owner) {
  const hold guard(*lock_);
  std::string& made = directories_[static_cast<std::size_t>(owner)];
  if (made.empty()) made = twin_.make_directory(owner, "", 0755);
  return made;
}

std::string world::new_directory(user owner, bool closed) {
  const hold guard(*lock_);
  return twin_.make_directory(owner, "", closed ? 0700 : 0755);
}

std::string world::deep_directory(user owner) {
  const std::string part = "/" + std::string(100, 'd');
  const hold guard(*lock_);
  return twin_.make_directory(owner, part + part, 0755);
}

const std::string& world::files_directory() {
  if (files_directory_.empty()) files_directory_ = twin_.make_directory(user::own, "", 0755);
  return files_directory_;
}

std::string world::file(const std::string& name, const std::string& contents, file_options options) {
  std::string path = files_directory() + "/" + name;
  twin_.make_file(path, contents, options);
  return path;
}

host& world::process(user who) {
  return *hosts_.emplace_back(std::make_unique<host>(*this, who));
}

void world::party(host& process, std::string label, body what) {
  parties_.push_back(std::make_unique<conformance::party>(*this, process, std::move(label), std::move(what)));
}

void world::pair(pair_options options, half server, half client) {
  struct meeting {
    explicit meeting(world& in) : bound(in), name(in.fresh_name()) {}
    flag bound;
    std::string name;
    pair_options options;
    half server, client;
  };
  auto both = std::make_shared<meeting>(*this);
  both->options = std::move(options);
  both->server = std::move(server);
  both->client = std::move(client);
  party("server", [both](conformance::party& p) -> task<void> {
    auto [served, door] = p.serve(both->bound, both->name, both->options.server);
    connection peer = co_await p.accept(door);
    co_await both->server(p, peer);
  });
  party(process(both->options.client_user), "client", [both](conformance::party& p) -> task<void> {
    co_await p.wait(both->bound);
    connection peer = co_await p.connect(both->name, both->options.client);
    co_await both->client(p, peer);
  });
}

void world::run() {
  twin_.run(*this, parties_);
  if (!failures().empty()) throw unwound();
}

void world::note_failure(const std::source_location& where, const std::string& text) {
  {
    const hold guard(*lock_);
    // What fails after the first failure fails because the world ends.
    if (stop_.stop_requested() && !failures_.empty()) return;
    failures_.push_back(short_name(where) + ": " + text);
    ++resuming_;
  }
  stop_.request_stop();
  std::vector<flag*> all;
  {
    const hold guard(*lock_);
    all = flags_;
  }
  for (flag* each : all) each->release();
  const hold guard(*lock_);
  --resuming_;
}

void world::fail(const std::source_location& where, const std::string& text) {
  note_failure(where, text);
  throw unwound();
}

std::vector<std::string> world::failures() const {
  const hold guard(*lock_);
  return failures_;
}

void world::give_up(const std::string& why) {
  std::string text = why;
  for (const auto& each : parties_) {
    if (!each->ended()) text += "; " + each->doing();
  }
  {
    const hold guard(*lock_);
    given_up_ = true;
    failures_.push_back(text);
  }
  note_failure(std::source_location::current(), text);
}

bool world::given_up() const {
  const hold guard(*lock_);
  return given_up_;
}

bool world::all_ended() const {
  for (const auto& each : parties_) {
    if (!each->ended()) return false;
  }
  const hold guard(*lock_);
  return resuming_ == 0;
}

flag::flag(world& in) : world_(in) {
  const hold guard(*world_.lock_);
  world_.flags_.push_back(this);
}
flag::~flag() {
  const hold guard(*world_.lock_);
  std::erase(world_.flags_, this);
}

void flag::set() {
  {
    const hold guard(*world_.lock_);
    set_ = true;
  }
  release();
}

bool flag::is_set() const {
  const hold guard(*world_.lock_);
  return set_;
}

// The runtimes live until every party has ended, and those that wait here haven't.
void flag::release() {
  std::vector<waiting> all;
  {
    const hold guard(*world_.lock_);
    ++world_.resuming_;
    all.swap(waiting_);
  }
  for (const waiting& each : all) each.where->post([who = each.who] { who.resume(); });
  const hold guard(*world_.lock_);
  --world_.resuming_;
}

bool flag::awaiter::await_suspend(std::coroutine_handle<> waiter) {
  const hold guard(*flag_.world_.lock_);
  if (flag_.set_ || flag_.world_.stop_.stop_requested()) return false;
  flag_.waiting_.push_back({&party_.rt(), waiter});
  return true;
}

void flag::awaiter::await_resume() const {
  {
    const hold guard(*flag_.world_.lock_);
    if (flag_.set_) return;
  }
  throw unwound();
}

}  // namespace tp::conformance
