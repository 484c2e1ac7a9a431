// Binding: a name becomes a lock, a listening socket and the file between them.
#include <fcntl.h>
#include <sys/stat.h>

#include <cerrno>
#include <mutex>
#include <optional>
#include <utility>

#include "address_posix.hpp"
#include "core/unenforced.hpp"
#include "errors_posix.hpp"
#include "listening_socket_posix.hpp"
#include "name_lock_posix.hpp"
#include "names_posix.hpp"
#include "places_posix.hpp"
#include "socket_file_posix.hpp"
#include "twinpipe/backend/twin.hpp"

namespace tp::platform {
namespace {

class bound_socket final : public listening_name {
 public:
  bound_socket(std::string location, std::string unenforced, descriptor socket)
      : location_(std::move(location)),
        unenforced_(std::move(unenforced)),
        listening_(std::make_shared<listening_socket>(std::move(socket))) {}
  bound_socket(std::string location, std::string unenforced, listening_file made, descriptor lock)
      : bound_socket(std::move(location), std::move(unenforced), std::move(made.socket)) {
    lock_ = std::move(lock);
    file_.emplace(std::move(made.file));
  }
  ~bound_socket() override { withdraw(); }

  const std::string& location() const noexcept override { return location_; }
  const std::string& unenforced() const noexcept override { return unenforced_; }
  std::shared_ptr<listening_socket> listening() const noexcept override { return listening_; }

  // The file goes while the lock is held: afterwards the name may be another server's.
  void withdraw() noexcept override {
    const std::scoped_lock lock(mutex_);
    if (file_) file_->remove();
    listening_->withdraw();
    lock_.reset();
  }

 private:
  const std::string location_;
  const std::string unenforced_;
  const std::shared_ptr<listening_socket> listening_;
  std::mutex mutex_;
  descriptor lock_;
  std::optional<socket_file> file_;
};
static_assert(backend::implements<bound_socket, backend::bound_name>);

using bound = result<std::shared_ptr<backend::bound_name>>;

bound bind_abstract(const backend::bind_request& request) {
  descriptor socket = new_socket();
  const socket_address address = address_of_abstract(request.name.leaf());
  if (!socket || ::bind(socket.get(), address.get(), address.size) != 0 ||
      ::listen(socket.get(), request.backlog) != 0)
    return fail_with(operation::bind, errno,
                     errno == EADDRINUSE ? "this or another process holds it" : request.name.text());
  return std::make_shared<bound_socket>("unix-abstract:" + request.name.leaf(),
                                        core::unenforced_by_sockets(request), std::move(socket));
}

// Makes the directory if it is ours to make. The mode is set again because the umask took its part.
int create_directory(const place& where) {
  if (where.create_mode == 0) return 0;
  if (::mkdir(where.directory.c_str(), where.create_mode) != 0) return errno == EEXIST ? 0 : errno;
  const descriptor made(::open(where.directory.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
  struct stat info{};
  if (!made || ::fstat(made.get(), &info) != 0) return errno;
  return info.st_uid != ::geteuid() || ::fchmod(made.get(), where.create_mode) == 0 ? 0 : errno;
}

result<directory_handle> open_place(const place& where) {
  const std::string what = "the directory " + quoted(where.directory);
  if (const int number = create_directory(where); number != 0)
    return fail_with(operation::bind, number, what + " cannot be made");
  directory_handle directory;
  if (const int number = open_directory(where.directory, where.follow, directory); number != 0)
    return fail_with(number == ENOTDIR || number == ELOOP ? errc::untrusted_location : to_errc(number),
                     operation::bind, number, what + " cannot be used");
  if (const std::string reason = distrust(directory, true); !reason.empty())
    return fail_with(errc::untrusted_location, operation::bind, 0, reason);
  return directory;
}

// Is it missing, so that it would be made, and then keep them out? Then it isn't made at all.
bool would_keep_out(const place& where, const access_policy& access) {
  struct stat info{};
  return where.create_mode != 0 && (where.create_mode & S_IXOTH) == 0 &&
         access.who() != access_policy::audience::same_user && ::lstat(where.directory.c_str(), &info) != 0 &&
         errno == ENOENT;
}

error unreachable(const std::string& closed) {
  return fail_with(errc::unreachable_policy, operation::bind, 0,
                   quoted(closed) + " cannot be entered by all of them")
      .error();
}

result<void> check_reach(const directory_handle& directory, const backend::bind_request& request) {
  const std::string closed = barrier(directory, request.access);
  if (closed.empty()) return {};
  return std::unexpected(unreachable(closed));
}

bound bind_file(const backend::bind_request& request, const place& where) {
  if (would_keep_out(where, request.access)) return std::unexpected(unreachable(where.directory));
  auto directory = open_place(where);
  if (!directory) return fail(directory);
  if (auto reach = check_reach(*directory, request); !reach) return fail(reach);
  auto lock = take_name_lock(*directory, where.file);
  if (!lock) return fail(lock);
  if (auto cleared = remove_stale(*directory, where.file); !cleared) return fail(cleared);
  auto made = make_listening_file(*directory, where.file, request);
  if (!made) return fail(made);
  return std::make_shared<bound_socket>(where.path(), core::unenforced_by_sockets(request), std::move(*made),
                                        std::move(*lock));
}

class unix_names final : public backend::names {
 public:
  bound bind(const backend::bind_request& request) override {
    if (request.name.kind() == name_kind::unix_abstract) return bind_abstract(request);
    auto where = place_to_bind(request.name, request.scope, request.runtime_directory);
    if (!where) return fail(where.error().about(operation::bind, {}));
    return bind_file(request, *where);
  }
  std::string unheeded() const override { return unused_environment(); }
};
static_assert(backend::implements<unix_names, backend::names>);

}  // namespace

std::unique_ptr<backend::names> make_names() {
  return std::make_unique<unix_names>();
}

}  // namespace tp::platform
