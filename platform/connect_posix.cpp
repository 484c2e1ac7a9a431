// Reaching a name: its places one after the other, each checked before anything is sent there.
#include <fcntl.h>

#include <cerrno>
#include <utility>

#include "address_posix.hpp"
#include "connected_socket_posix.hpp"
#include "directory_posix.hpp"
#include "errors_posix.hpp"
#include "names_posix.hpp"
#include "peer_identity.hpp"
#include "places_posix.hpp"
#include "twinpipe/escape.hpp"

namespace tp::platform {
namespace {

using backend::status;

struct outcome {
  status result;
  std::string reason;
  backend::detached_ptr stream;
  int reason_number = 0;
  circumstance about = circumstance::none;
};

std::string reason_of(int number) {
  switch (number) {
    case ENOENT:
      return "does not exist";
    case ECONNREFUSED:
      return "nobody listens";
    case EAGAIN:
      return "the backlog is full";
    default:
      return describe(number);
  }
}

outcome no(int number) {
  return {to_status(number), reason_of(number), nullptr, number};
}
outcome no(errc code, std::string reason) {
  return {{code}, std::move(reason), nullptr};
}

// A non-blocking connect never is under way on a Unix socket: it's made, or refused, or the backlog is full.
outcome connect_now(const socket_address& address, known_process& server) {
  descriptor socket = new_socket();
  if (!socket) return no(errno);
  if (const int number = connect_to(socket.get(), address); number != 0) return no(number);
  identity peer = peer_identity(socket.get(), server);
  return {{}, {}, detach(std::make_unique<connected_socket>(std::move(socket), std::move(peer)))};
}

// By its descriptor. Only without /proc is that way missing, and then the plain path has to do: to ask
// beforehand would cost as much as the connect.
outcome connect_to_file(known_socket& found) {
  const auto direct = address_of_path(path_of_descriptor(found.path.get()));
  outcome got = connect_now(*direct, found.server);
  if (got.reason_number != ENOENT || ::access(direct->name.sun_path, F_OK) == 0) return got;
  const auto plain = address_of_path(join(found.directory.path, found.file));
  return plain ? connect_now(*plain, found.server) : no(ENAMETOOLONG);
}

outcome untrusted(std::string reason, circumstance about = circumstance::none) {
  outcome is = no(errc::untrusted_location, std::move(reason));
  is.about = about;
  return is;
}

std::string distrust_unless_exact(const place& where, const directory_handle& directory) {
  return where.exact ? std::string() : distrust(directory, true);
}

// A link or a file where a default directory belongs: who put it there waits for us to go on.
outcome no_directory(const place& where, int number) {
  if (!where.exact && (number == ENOTDIR || number == ELOOP))
    return untrusted(quoted(where.directory) + " is a link, or no directory");
  return no(number);
}

// An empty place of somebody else's making is no place of ours: who made it waits for us to believe in it.
outcome no_socket(const place& where, const directory_handle& directory, int number) {
  if (number == ENOENT) {
    if (std::string reason = distrust_unless_exact(where, directory); !reason.empty())
      return untrusted(std::move(reason));
  }
  return no(number);
}

// Examined and then connected to by its descriptor: all of that means the same file.
outcome try_found(const place& where, server_trust expected, known_socket& found) {
  if (!S_ISSOCK(found.info.st_mode)) return untrusted("is no socket", circumstance::no_socket);
  if (std::string reason = distrust_unless_exact(where, found.directory); !reason.empty())
    return untrusted(std::move(reason));
  // A client that takes any server takes that of anybody who may put one there.
  if (expected != server_trust::anyone) {
    if (std::string reason = distrust_socket(found.directory, found.info); !reason.empty())
      return untrusted(std::move(reason), circumstance::others_socket);
  }
  return connect_to_file(found);
}

outcome try_place(const place& where, server_trust expected, known_socket& last) {
  if (last.is_at(where)) return try_found(where, expected, last);
  known_socket found;
  found.file = where.file;
  found.follow = where.follow;
  if (const int number = open_directory(where.directory, where.follow, found.directory); number != 0)
    return no_directory(where, number);
  found.path =
      descriptor(::openat(found.directory.fd.get(), where.file.c_str(), O_PATH | O_NOFOLLOW | O_CLOEXEC));
  if (!found.path || ::fstat(found.path.get(), &found.info) != 0)
    return no_socket(where, found.directory, errno);
  outcome got = try_found(where, expected, found);
  if (got.result.ok()) last = std::move(found);
  return got;
}

status report(backend::connect_op& op, status result, std::string tried) {
  op.detail = make_text(std::move(tried));
  return result;
}

// A name that isn't found may stand where the user, in vain, has said.
std::string with_unused_environment(const backend::connect_op& op, std::string tried) {
  const bool asked = op.name->kind() == name_kind::plain && op.runtime_directory.empty();
  const std::string unused = asked ? unused_environment() : std::string();
  return unused.empty() ? tried : tried + "; " + unused;
}

status try_places(backend::connect_op& op, const std::vector<place>& places, known_socket& last_found) {
  std::string tried;
  status last{errc::not_found};
  for (const place& where : places) {
    outcome got = try_place(where, op.expected, last_found);
    if (got.result.ok()) {
      op.stream = std::move(got.stream);
      return {};
    }
    if (!tried.empty()) tried += "; ";
    tried += quoted(where.path()) + ": " + got.reason;
    last = got.result;
    op.about = got.about;
    if (last.code != errc::not_found) break;
  }
  return report(op, last, with_unused_environment(op, std::move(tried)));
}

}  // namespace

bool known_socket::is_at(const place& where) {
  if (!path || where.file != file || where.directory != directory.path || where.follow != follow)
    return false;
  struct stat now{};
  const int flags = follow ? 0 : AT_SYMLINK_NOFOLLOW;
  if (::fstatat(AT_FDCWD, directory.path.c_str(), &now, flags) != 0 || !same_file(now, directory.info))
    return false;
  directory.info = now;
  if (::fstatat(directory.fd.get(), file.c_str(), &now, AT_SYMLINK_NOFOLLOW) != 0 || !same_file(now, info))
    return false;
  info = now;
  return true;
}

status try_connect(backend::connect_op& op, known_socket& last) {
  if (op.name->kind() == name_kind::unix_abstract) {
    known_process unknown;
    outcome got = connect_now(address_of_abstract(op.name->leaf()), unknown);
    if (!got.result.ok()) return report(op, got.result, in_quotes(op.name->text()) + ": " + got.reason);
    op.stream = std::move(got.stream);
    return {};
  }
  const auto places = places_to_look(*op.name, op.runtime_directory);
  if (!places)
    return report(op, {places.error().code(), places.error().system_cause()},
                  std::string(places.error().subject()));
  return try_places(op, *places, last);
}

}  // namespace tp::platform
