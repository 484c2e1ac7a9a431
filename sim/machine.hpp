// A host of a world, as its kernel keeps it.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "published.hpp"
#include "twinpipe/backend/names.hpp"
#include "twinpipe/sim/host.hpp"
#include "twinpipe/sim/world.hpp"

namespace tp::sim {

class listener;
class resident_program;
struct process_record;

struct node {
  std::uint32_t owner = 0, group = 0, mode = 0755;
  bool is_directory = true;
  std::string contents = {};
};

/// The file of a socket whose server has died.
struct left_socket {
  access_policy access;
  identity owner;
};

/// An abstract name's socket, which is there as long as somebody has it open: its listener, until the name is
/// withdrawn, and every acceptor, until its thread has heard of that (unix(7)).
struct abstract_socket {
  const std::shared_ptr<process_record> server;
};

class machine final : public host {
 public:
  /// Without a name: the one that every world has.
  machine(world::state& in, std::string name) : in_(in), name_(std::move(name)) {}
  [[nodiscard]] const std::string& name() const noexcept override { return name_; }
  user_id user(std::string name, privilege rights, std::vector<std::uint32_t> groups) override;
  void file(std::string path, file_attributes attributes) override;
  void directory(std::string path, file_attributes attributes) override;
  hosted& process(std::string name, user_id user, program main, program_options options) override;
  std::unique_ptr<backend::process> make_process(std::string name, user_id user) override;
  std::unique_ptr<backend::process> make_process(std::string name, user_id user, bool background);
  void crash() override;
  void restart() override;

  /// Of a process, for reports: with the host's, if that has one.
  [[nodiscard]] std::string full_name(const std::string& of) const {
    return name_.empty() ? of : name_ + ":" + of;
  }
  /// "the host north".
  [[nodiscard]] std::string title() const {
    return name_.empty() ? "the world's own host" : "the host " + name_;
  }
  [[nodiscard]] std::string user_name(std::uint32_t uid) const;
  /// For reports, a line each.
  [[nodiscard]] std::string describe_users() const;

  /// A process that has ended; its pid may come again.
  void bury(const process_record& dead);

  std::map<std::string, listener*> names;
  std::map<std::string, left_socket> left_sockets;  ///< by path, like names
  std::map<std::string, std::weak_ptr<const abstract_socket>> abstract_sockets;
  std::map<std::string, node> files{{"", {}},
                                    {"/tmp", {.mode = 01777}}};  ///< by absolute path, the root's empty
  std::vector<process_record*> alive;                            ///< in the order of their births

 private:
  struct known_user {
    std::uint32_t uid;
    std::string name;
    std::vector<std::uint32_t> groups;  ///< supplementary
  };
  world::state& in_;
  const std::string name_;
  published<known_user> users_;
  [[nodiscard]] const known_user* find_user(user_id who) const;
  void check_own(user_id who, std::string_view what) const;
  void put(std::string path, const file_attributes& attributes, bool is_directory);
  std::uint32_t next_pid();

  std::vector<std::uint32_t> free_pids_;
  std::uint32_t next_uid_ = 1000, next_pid_ = 1000;
  std::vector<resident_program*> ended_by_crash_;
};

}  // namespace tp::sim
