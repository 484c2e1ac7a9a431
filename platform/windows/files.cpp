// Reading a file with the rights of the calling thread, whichever token it wears.
#include "files.hpp"

#include <windows.h>

#include <algorithm>

#include "twinpipe/backend/twin.hpp"
#include "windows/errors.hpp"
#include "windows/handle.hpp"
#include "windows/text.hpp"

namespace tp::platform {
namespace {

class windows_files final : public backend::files {
 public:
  // Opening beneath a directory needs NtCreateFile; it comes with the whole of this twin.
  [[nodiscard]] result<std::shared_ptr<backend::directory>> open_directory(std::string_view path) override {
    return fail_with(errc::not_supported, operation::open_directory, 0, std::string(path));
  }

  [[nodiscard]] result<std::string> read(backend::directory* beneath, std::string_view path,
                                         std::size_t max_bytes) override {
    const std::string subject(path);
    if (beneath != nullptr) return fail_with(errc::not_supported, operation::read_file, 0, subject);
    const unique_handle file(CreateFileW(widen(path).c_str(), GENERIC_READ,
                                         FILE_SHARE_READ | FILE_SHARE_WRITE, nullptr, OPEN_EXISTING,
                                         FILE_ATTRIBUTE_NORMAL, nullptr));
    if (!file) return fail_last(operation::read_file, subject);
    if (GetFileType(file.get()) != FILE_TYPE_DISK) {
      return fail_with(errc::invalid_argument, operation::read_file, 0, subject);
    }
    return read_all(file.get(), subject, max_bytes);
  }

 private:
  static result<std::string> read_all(HANDLE file, const std::string& subject, std::size_t max_bytes) {
    std::string contents;
    for (;;) {
      constexpr std::size_t step = 65536;
      const std::size_t have = contents.size();
      // One byte more than allowed tells a file that is too large from one that just fits.
      contents.resize(have + 1 + std::min(step, max_bytes - have));
      DWORD n = 0;
      if (!ReadFile(file, contents.data() + have, static_cast<DWORD>(contents.size() - have), &n, nullptr)) {
        return fail_last(operation::read_file, subject);
      }
      contents.resize(have + n);
      if (contents.size() > max_bytes)
        return fail_with(errc::file_too_large, operation::read_file, 0, subject);
      if (n == 0) return contents;
    }
  }
};
static_assert(backend::implements<windows_files, backend::files>);

}  // namespace

std::unique_ptr<backend::files> make_files() {
  return std::make_unique<windows_files>();
}

}  // namespace tp::platform
