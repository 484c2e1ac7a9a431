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
  return {to_status(number), reason_of(number), nullptr};
}
outcome no(errc code, std::string reason) {
  return {{code}, std::move(reason), nullptr};
}

// A non-blocking connect never is under way on a Unix socket: it's made, or refused, or the backlog is full.
outcome connect_now(const socket_address& address) {
  descriptor socket = new_socket();
  if (!socket) return no(errno);
  if (const int number = connect_to(socket.get(), address); number != 0) return no(number);
  identity server = peer_identity(socket.get());
  return {{}, {}, detach(std::make_unique<connected_socket>(std::move(socket), std::move(server)))};
}

std::string distrust_place(const place& where, const directory_handle& directory, const struct stat& socket,
                           server_trust expected) {
  if (!where.exact) {
    if (std::string reason = distrust(directory, true); !reason.empty()) return reason;
  }
  // A client that takes any server takes that of anybody who may put one there.
  return expected == server_trust::anyone ? std::string() : distrust_socket(directory, socket);
}

// The socket is opened, examined and then connected to by its descriptor, so all three mean the same file.
outcome try_place(const place& where, server_trust expected) {
  directory_handle directory;
  if (const int number = open_directory(where.directory, where.follow, directory); number != 0) {
    // A link or a file where a default directory belongs: who put it there waits for us to go on.
    if (!where.exact && (number == ENOTDIR || number == ELOOP))
      return no(errc::untrusted_location, quoted(where.directory) + " is a link, or no directory");
    return no(number);
  }
  const descriptor path(::openat(directory.fd.get(), where.file.c_str(), O_PATH | O_NOFOLLOW | O_CLOEXEC));
  struct stat info{};
  if (!path || ::fstat(path.get(), &info) != 0) {
    if (errno == ENOENT && !where.exact) {
      // An empty place of somebody else's making is no place of ours: who made it waits for us to believe in
      // it.
      if (std::string reason = distrust(directory, true); !reason.empty())
        return no(errc::untrusted_location, std::move(reason));
      return no(ENOENT);
    }
    return no(errno);
  }
  if (!S_ISSOCK(info.st_mode)) return no(errc::untrusted_location, "is no socket");
  if (std::string reason = distrust_place(where, directory, info, expected); !reason.empty())
    return no(errc::untrusted_location, std::move(reason));
  const auto address = address_through(path.get(), {}, where.path());
  return address ? connect_now(*address) : no(ENAMETOOLONG);
}

status report(backend::connect_op& op, status result, std::string tried) {
  op.detail = make_text(std::move(tried));
  return result;
}

status try_places(backend::connect_op& op, const std::vector<place>& places) {
  std::string tried;
  status last{errc::not_found};
  for (const place& where : places) {
    outcome got = try_place(where, op.expected);
    if (got.result.ok()) {
      op.stream = std::move(got.stream);
      return {};
    }
    if (!tried.empty()) tried += "; ";
    tried += quoted(where.path()) + ": " + got.reason;
    last = got.result;
    if (last.code != errc::not_found) break;
  }
  return report(op, last, std::move(tried));
}

}  // namespace

status try_connect(backend::connect_op& op) {
  if (op.name->kind() == name_kind::unix_abstract) {
    outcome got = connect_now(address_of_abstract(op.name->leaf()));
    if (!got.result.ok()) return report(op, got.result, in_quotes(op.name->text()) + ": " + got.reason);
    op.stream = std::move(got.stream);
    return {};
  }
  const auto places = places_to_look(*op.name, op.runtime_directory);
  if (!places)
    return report(op, {places.error().code(), places.error().system_cause()},
                  std::string(places.error().subject()));
  return try_places(op, *places);
}

}  // namespace tp::platform
