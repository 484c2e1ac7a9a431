// Files in memory: directories, owners, modes, and what they let the identity of the moment do
// (path_resolution(7)).
#include <ranges>

#include "kernel.hpp"
#include "twinpipe/backend/twin.hpp"
#include "twinpipe/escape.hpp"

namespace tp::sim {
namespace {

/// `wanted`: 4 to read, 1 to search.
bool permits(const node& at, const identity& who, std::uint32_t wanted) noexcept {
  const int shift = who.uid.value == at.owner ? 6 : who.in_group(at.group) ? 3 : 0;
  return who.is_superuser() || (at.mode >> shift & wanted) == wanted;
}

/// A directory that the host wasn't told of is root's, and closed to others.
node directory_of(const machine& on, const std::string& path) {
  const auto found = on.files.find(path.substr(0, path.rfind('/')));
  return found != on.files.end() ? found->second : node{};
}

struct directory final : backend::directory {
  explicit directory(std::string where) : path(std::move(where)) {}
  std::string path;
};
static_assert(backend::implements<directory, backend::directory>);

std::unexpected<error> failed(errc code, operation what, std::string_view path) {
  return fail(code, what, 0, make_text(escape(path, std::string_view::npos)));
}

class files final : public backend::files {
 public:
  explicit files(process_ref process) : process_(std::move(process)) {}

  result<std::shared_ptr<backend::directory>> open_directory(std::string_view path) override {
    process_->world->time.check_caller("open_directory");
    process_->world->time.point();
    std::string here;
    errc code = walk(here, path, false);
    if (code == errc::none && !at(here).is_directory) code = errc::not_found;
    if (code != errc::none) return failed(code, operation::open_directory, path);
    return std::make_shared<directory>(std::move(here));
  }

  result<std::string> read(backend::directory* beneath, std::string_view path,
                           std::size_t max_bytes) override {
    process_->world->time.check_caller("a read of a file");
    process_->world->time.point();
    const auto* const within = dynamic_cast<directory*>(beneath);
    if (beneath != nullptr && within == nullptr)
      return failed(errc::invalid_argument, operation::read_file, path);
    std::string here = within != nullptr ? within->path : "";
    errc code = walk(here, path, within != nullptr);
    if (code == errc::none) code = readable(at(here), max_bytes);
    if (code == errc::none) code = process_->fault_at(act::read_file).fails;
    process_->world->time.note(happening::read_file, 0, 0, 0, code);
    if (code != errc::none) return failed(code, operation::read_file, path);
    return at(here).contents;
  }

 private:
  [[nodiscard]] const node& at(const std::string& path) const { return process_->on.files.at(path); }

  /// Moves `here` along the path. There are no links, so `..` is the path without its last part.
  [[nodiscard]] errc walk(std::string& here, std::string_view path, bool confined) const {
    if (process_->dead()) return errc::process_killed;
    if (path.contains('\0')) return errc::invalid_argument;
    const auto floor = here.size();
    if (path.empty()) return errc::not_found;
    if (confined && path.starts_with('/')) return errc::access_denied;
    for (const auto part : path | std::views::split('/')) {
      const std::string_view name(part.begin(), part.end());
      if (!at(here).is_directory) return errc::not_found;
      if (name.empty() || name == ".") continue;
      if (!permits(at(here), process_->effective(), 1)) return errc::access_denied;
      if (name == ".." && confined && here.size() == floor) return errc::access_denied;
      if (name == "..") here.resize(here.empty() ? 0 : here.rfind('/'));
      if (name != "..") here.append("/").append(name);
      if (!process_->on.files.contains(here)) return errc::not_found;
    }
    return errc::none;
  }

  [[nodiscard]] errc readable(const node& file, std::size_t max_bytes) const noexcept {
    if (!permits(file, process_->effective(), 4)) return errc::access_denied;
    if (file.is_directory) return errc::invalid_argument;
    return file.contents.size() > max_bytes ? errc::file_too_large : errc::none;
  }

  process_ref process_;
};
static_assert(backend::implements<files, backend::files>);

}  // namespace

bool is_planted(process_record& client, const std::string& place, std::uint32_t owner) {
  const auto trusted = [&](std::uint32_t user) { return user == 0 || user == client.effective().uid.value; };
  const auto only_ours = [&](const node& directory) {
    return trusted(directory.owner) && (directory.mode & 022) == 0;
  };
  if (place.starts_with('@') || trusted(owner)) return false;
  const node directory = directory_of(client.on, place);
  if (only_ours(directory)) return false;
  const bool own = directory.owner == owner && (directory.mode & 022) == 0;
  return !own || !only_ours(directory_of(client.on, place.substr(0, place.rfind('/'))));
}

std::unique_ptr<backend::files> make_files(const process_ref& process) {
  return std::make_unique<files>(process);
}

}  // namespace tp::sim
