// The places of names, and the environment that moves them.
#include "places_posix.hpp"

#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <optional>

#include "address_posix.hpp"
#include "directory_posix.hpp"
#include "errors_posix.hpp"

namespace tp::platform {
namespace {

constexpr mode_t private_mode = 0700;
constexpr mode_t system_mode = 0755;
constexpr const char* system_directory = "/run/twinpipe";

// Never for a program that runs with more rights than its caller: secure_getenv(3). A relative path means
// nothing here.
std::string absolute_from_environment(const char* variable) {
  const char* value = ::secure_getenv(variable);
  return value != nullptr && *value == '/' ? value : "";
}

bool belongs_to(const std::string& directory, uid_t user, mode_t forbidden) {
  struct stat info{};
  return ::stat(directory.c_str(), &info) == 0 && S_ISDIR(info.st_mode) && info.st_uid == user &&
         (info.st_mode & forbidden) == 0;
}

constexpr const char* chosen_by_user = "TWINPIPE_RUNTIME_DIR";

std::optional<place> from_environment(uid_t user) {
  std::string directory = absolute_from_environment(chosen_by_user);
  if (directory.empty() || (user == 0 && !belongs_to(directory, 0, 0))) return {};
  return place{std::move(directory), {}, private_mode};
}

place system_place() {
  return {system_directory, {}, system_mode, false, false};
}

// Of a user who isn't root, without what the environment says.
std::vector<place> default_places(uid_t user) {
  std::vector<place> places;
  const auto add = [&](std::string directory) {
    places.push_back({std::move(directory), {}, private_mode, false, false});
  };
  const std::string number = std::to_string(user);
  if (belongs_to("/run/user/" + number, user, 0077)) add("/run/user/" + number + "/twinpipe");
  const std::string session = absolute_from_environment("XDG_RUNTIME_DIR");
  if (!session.empty() && session != "/run/user/" + number && belongs_to(session, user, 0022))
    add(session + "/twinpipe");
  add("/tmp/twinpipe-" + number);
  return places;
}

// A user's own places, the first being the one where servers go.
std::vector<place> own_places(uid_t user) {
  std::vector<place> places;
  if (auto chosen = from_environment(user)) places.push_back(std::move(*chosen));
  if (user == 0) {
    places.push_back(system_place());
  } else {
    std::ranges::move(default_places(user), std::back_inserter(places));
  }
  return places;
}

place exact_path(const std::string& path) {
  const std::size_t slash = path.rfind('/');
  return {slash == 0 ? "/" : path.substr(0, slash), path.substr(slash + 1)};
}

// What System.IO.Pipes makes of a name on Unix; a longer path is out of its reach.
result<place> dotnet_place(const endpoint_name& name) {
  std::string path = name.leaf();
  if (!path.starts_with('/')) {
    const char* configured = ::secure_getenv("TMPDIR");
    std::string directory = configured != nullptr && *configured != '\0' ? configured : "/tmp/";
    if (!directory.ends_with('/')) directory += '/';
    path = directory + "CoreFxPipe_" + path;
  }
  if (!path.starts_with('/'))
    return fail_with(errc::invalid_name, operation::none, 0, "TMPDIR is no absolute path");
  if (path.size() > longest_socket_path)
    return fail(errc::name_too_long, operation::none, 0, make_text(path));
  return exact_path(path);
}

std::unexpected<error> other_host(const endpoint_name& name) {
  return fail_with(errc::not_supported, operation::none, 0,
                   name.kind() == name_kind::ssh ? "names through ssh are not supported by this version"
                                                 : "pipes of other hosts can be reached from Windows only");
}

}  // namespace

std::string place::path() const {
  return join(directory, file);
}

std::string unused_environment() {
  const char* value = ::getenv(chosen_by_user);
  if (value == nullptr || *value == '\0') return {};
  const std::string start = std::string(chosen_by_user) + "=" + quoted(value) + " is not used, because ";
  if (::secure_getenv(chosen_by_user) == nullptr) return start + "this program runs with raised privileges";
  if (*value != '/') return start + "it is not an absolute path";
  if (::geteuid() != 0 || belongs_to(value, 0, 0)) return {};
  struct stat info{};
  const std::string rule = "root uses only a directory that is root's, and this ";
  if (::stat(value, &info) != 0) return start + rule + (errno == ENOENT ? "does not exist" : describe(errno));
  if (!S_ISDIR(info.st_mode)) return start + rule + "is no directory";
  return start + rule + "belongs to uid " + std::to_string(info.st_uid);
}

result<place> place_to_bind(const endpoint_name& name, name_scope scope, std::string_view directory) {
  place chosen;
  switch (name.kind()) {
    case name_kind::plain:
    case name_kind::pipe:
      if (!directory.empty())
        chosen = {std::string(directory), {}, private_mode};
      else if (name.kind() == name_kind::pipe || scope == name_scope::system)
        chosen = system_place();
      else
        chosen = own_places(::geteuid()).front();
      chosen.file = name.leaf();
      return chosen;
    case name_kind::dotnet:
      return dotnet_place(name);
    case name_kind::remote_pipe:
    case name_kind::ssh:
      return other_host(name);
    default:
      return exact_path(name.leaf());
  }
}

result<std::vector<place>> places_to_look(const endpoint_name& name, std::string_view directory) {
  if ((name.kind() != name_kind::plain && name.kind() != name_kind::pipe) || !directory.empty()) {
    auto only = place_to_bind(name, name_scope::user, directory);
    if (!only) return fail(only);
    return std::vector<place>{std::move(*only)};
  }
  const uid_t user = ::geteuid();
  std::vector<place> places;
  if (name.kind() == name_kind::plain) places = own_places(user);
  if (places.empty() || user != 0) places.push_back(system_place());
  for (place& one : places) one.file = name.leaf();
  return places;
}

}  // namespace tp::platform
