// Users, files and processes of a host, and its crash.
#include "machine.hpp"

#include <algorithm>
#include <ranges>
#include <stdexcept>

#include "kernel.hpp"
#include "text.hpp"

namespace tp::sim {
namespace {

/// Why nothing could be found there; empty: it is a path.
std::string why_no_path(std::string_view path) {
  if (!path.starts_with('/')) return "it is not absolute; write it as /a/b";
  for (const auto part : path.substr(1) | std::views::split('/')) {
    const std::string_view name(part.begin(), part.end());
    if (name.empty()) return "a part of it is empty; write it as /a/b";
    if (name == "." || name == "..") return "there are no . and .. in it; write it as /a/b";
  }
  return {};
}

[[noreturn]] void refuse(std::string_view what, std::string_view why) {
  throw std::invalid_argument(join(what, ": ", why));
}

}  // namespace

user_id machine::user(std::string name, privilege rights, std::vector<std::uint32_t> groups) {
  const std::uint32_t uid = rights == privilege::superuser ? 0 : next_uid_++;
  users_.add(uid, std::move(name), std::move(groups));
  return {uid, static_cast<std::uint32_t>(users_.size()), this};
}

std::string machine::user_name(std::uint32_t uid) const {
  const known_user* const found = find_user({uid});
  return found != nullptr ? found->name : join("uid ", uid);
}

const machine::known_user* machine::find_user(user_id who) const {
  if (who.account != 0 && who.account <= users_.size()) return &users_[who.account - 1];
  for (std::size_t i = 0; i < users_.size(); ++i) {
    if (users_[i].uid == who.uid) return &users_[i];
  }
  return nullptr;
}

void machine::file(std::string path, file_attributes attributes) {
  put(std::move(path), attributes, false);
}

void machine::directory(std::string path, file_attributes attributes) {
  put(std::move(path), attributes, true);
}

// Directories that are missing on the way appear with it.
void machine::put(std::string path, const file_attributes& a, bool is_directory) {
  const std::string what = join(is_directory ? "directory '" : "file '", path, '\'');
  if (const std::string why = path == "/" ? "" : why_no_path(path); !why.empty()) refuse(what, why);
  if (path == "/") path.clear();
  check_own(a.owner, what);
  for (auto slash = path.find('/', 1); slash != std::string::npos; slash = path.find('/', slash + 1)) {
    const auto& [above, is] = *files.try_emplace(path.substr(0, slash)).first;
    if (!is.is_directory) refuse(what, join('\'', above, "' is a file, so nothing can be beneath it"));
  }
  if (const auto there = files.find(path); there != files.end() && there->second.is_directory != is_directory)
    refuse(what, is_directory ? "there is a file of that name" : "there is a directory of that name");
  files.insert_or_assign(std::move(path), node{a.owner.uid, a.group, a.mode, is_directory, a.contents});
}

void machine::check_own(user_id who, std::string_view what) const {
  if (who.of == nullptr || who.of == this) return;
  const auto& other = static_cast<const machine&>(*who.of);
  const known_user* const known = other.find_user(who);
  refuse(what, join("the user ", known != nullptr ? known->name : "given", " is one of ", other.title(),
                    ", and not of ", title(), "; make the user there, too"));
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
  const std::string what = join("process '", name, '\'');
  check_own(user, what);
  const known_user* const known = find_user(user);
  if (known == nullptr)
    refuse(what, join(title(), " has no user with uid ", user.uid, "; make one by user()"));
  identity self;
  self.uid = {user.uid, trust::authoritative};
  self.gid = {user.uid, trust::authoritative};
  self.groups = {known->groups, trust::authoritative};
  self.pid = {next_pid(), trust::advisory};
  const auto number = static_cast<std::uint32_t>(in_.known_processes.size());
  const std::string& whole = in_.known_processes.add(join(full_name(name), ", pid ", self.pid.value));
  return sim::make_process(std::make_shared<process_record>(in_.shared_from_this(), *this, whole, number,
                                                            known->name, background, self));
}

std::unique_ptr<backend::process> machine::make_process(std::string name, user_id user) {
  return make_process(std::move(name), user, false);
}

hosted& machine::process(std::string name, user_id user, program main, program_options options) {
  const auto has_name = [&](const auto& each) { return &each->host() == this && each->name() == name; };
  if (std::ranges::any_of(in_.programs, has_name)) {
    refuse(join("process '", name, '\''),
           join(title(), " has a program of that name; reports and rules for faults ",
                "go by it, so give each its own"));
  }
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
