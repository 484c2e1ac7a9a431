// Users, files and processes of a host, and its crash.
#include "machine.hpp"

#include <algorithm>

#include "fatal.hpp"
#include "kernel.hpp"
#include "text.hpp"

namespace tp::sim {
namespace {

/// Directories that are missing on the way appear with it.
void put(std::map<std::string, node>& files, const std::string& path, node what) {
  for (auto slash = path.find('/', 1); slash != std::string::npos; slash = path.find('/', slash + 1))
    files.try_emplace(path.substr(0, slash));
  files.insert_or_assign(path, std::move(what));
}

}  // namespace

user_id machine::user(std::string name, privilege rights, std::vector<std::uint32_t> groups) {
  const std::uint32_t uid = rights == privilege::superuser ? 0 : next_uid_++;
  users_.add(uid, std::move(name), std::move(groups));
  return {uid};
}

std::string machine::user_name(std::uint32_t uid) const {
  const known_user* const found = find_user(uid);
  return found != nullptr ? found->name : join("uid ", uid);
}

const machine::known_user* machine::find_user(std::uint32_t uid) const {
  for (std::size_t i = users_.size(); i-- > 0;) {
    if (users_[i].uid == uid) return &users_[i];
  }
  return nullptr;
}

void machine::file(std::string path, file_attributes a) {
  put(files, path, {a.owner.uid, a.group, a.mode, false, std::move(a.contents)});
}

void machine::directory(std::string path, file_attributes a) {
  put(files, path, {a.owner.uid, a.group, a.mode});
}

void machine::bury(const process_record& dead) {
  std::erase(alive, &dead);
  free_pids_.push_back(dead.self.pid.value);
}

// The usual kernel goes on to the next number; one that has come round gives out an old one.
std::uint32_t machine::next_pid() {
  if (free_pids_.empty() || in_.time.choose(2, choice::pid) == 0) return next_pid_++;
  const std::uint32_t again = free_pids_.back();
  free_pids_.pop_back();
  return again;
}

std::unique_ptr<backend::process> machine::make_process(std::string name, user_id user, bool background) {
  const known_user* const known = find_user(user.uid);
  if (known == nullptr) detail::fatal("make_process for a user whom this host doesn't have");
  identity self;
  self.uid = {user.uid, trust::authoritative};
  self.gid = {user.uid, trust::authoritative};
  self.groups = {known->groups, trust::authoritative};
  self.pid = {next_pid(), trust::advisory};
  const auto number = static_cast<std::uint32_t>(in_.known_processes.size());
  const std::string& whole = in_.known_processes.add(join(full_name(name), ", pid ", self.pid.value));
  return sim::make_process(
      std::make_shared<process_record>(in_.shared_from_this(), *this, whole, number, background, self));
}

std::unique_ptr<backend::process> machine::make_process(std::string name, user_id user) {
  return make_process(std::move(name), user, false);
}

hosted& machine::process(std::string name, user_id user, program main, program_options options) {
  return *in_.programs.emplace_back(std::make_unique<resident_program>(
      in_.shared_from_this(), *this, std::move(name), user, std::move(main), std::move(options)));
}

// All of them stand still from one moment on, and die one after the other; whoever crashes its own host,
// last.
void machine::crash() {
  scheduler& time = in_.time;
  time.check_caller("host::crash");
  const process_record* const own = time.current().process;
  in_.remark(name_.empty() ? "crashes the host" : "crashes the host " + name_);
  std::vector<process_record*> victims = alive;
  if (const auto at = std::ranges::find(victims, own); at != victims.end())
    std::rotate(at, at + 1, victims.end());
  for (process_record* const each : victims) {
    if (each == own || std::exchange(each->paused, true)) continue;
    time.pause_threads(*each);
  }
  ended_by_crash_.clear();
  for (process_record* const each : victims) {
    if (std::ranges::find(alive, each) == alive.end())
      continue;  // its owner, another process, has gone before
    const auto by_program = [&](const auto& one) { return one->runs_in(*each); };
    const auto found = std::ranges::find_if(in_.programs, by_program);
    if (found == in_.programs.end()) {
      sim::kill(*each->object);
      continue;
    }
    ended_by_crash_.push_back(found->get());
    (*found)->kill();
  }
}

void machine::restart() {
  in_.time.check_caller("host::restart");
  for (resident_program* const each : std::exchange(ended_by_crash_, {})) each->restart();
}

}  // namespace tp::sim
