// A world: its users, its files, and the birth of its processes.
#include "twinpipe/sim/world.hpp"

#include "fatal.hpp"
#include "kernel.hpp"

namespace tp::sim {
namespace {

/// Directories that are missing on the way appear with it.
void put(std::map<std::string, node>& files, const std::string& path, node what) {
  for (auto slash = path.find('/', 1); slash != std::string::npos; slash = path.find('/', slash + 1))
    files.try_emplace(path.substr(0, slash));
  files.insert_or_assign(path, std::move(what));
}

}  // namespace

world::world() : state_(std::make_shared<state>()) {}
world::~world() = default;

user_id world::user(std::string, privilege rights, std::vector<std::uint32_t> groups) {
  const std::uint32_t uid = rights == privilege::superuser ? 0 : state_->next_uid++;
  state_->groups_of.insert_or_assign(uid, std::move(groups));
  return {uid};
}

void world::file(std::string path, file_attributes a) {
  put(state_->files, path, {a.owner.uid, a.group, a.mode, false, std::move(a.contents)});
}

void world::directory(std::string path, file_attributes a) {
  put(state_->files, path, {a.owner.uid, a.group, a.mode});
}

std::unique_ptr<backend::process> world::make_process(std::string name, user_id user) {
  const auto known = state_->groups_of.find(user.uid);
  if (known == state_->groups_of.end()) detail::fatal("make_process for a user whom this world doesn't have");
  identity self;
  self.uid = {user.uid, trust::authoritative};
  self.gid = {user.uid, trust::authoritative};
  self.groups = {known->second, trust::authoritative};
  self.pid = {state_->next_pid++, trust::advisory};
  name += ", pid " + std::to_string(self.pid.value);
  auto record = std::make_shared<process_record>(state_, std::move(name), self, self);
  return sim::make_process(std::move(record));
}

void world::kill(backend::process& victim) {
  sim::kill(victim);
}

time_point world::now() const noexcept {
  return state_->time.now();
}
const std::vector<std::string>& world::trace() const noexcept {
  return state_->trace;
}

}  // namespace tp::sim
