// CreateProcess and its end.
#include "other_process.hpp"

#include <windows.h>

#include <catch2/catch.hpp>

namespace tp::test {

other_process::other_process(const std::string& program, const std::string& argument) {
  std::string path(MAX_PATH, '\0');
  path.resize(GetModuleFileNameA(nullptr, path.data(), MAX_PATH));
  path.replace(path.rfind('\\') + 1, std::string::npos, program);
  std::string command = "\"" + path + "\" \"" + argument + "\"";
  STARTUPINFOA startup{};
  startup.cb = sizeof startup;
  PROCESS_INFORMATION started{};
  REQUIRE(CreateProcessA(path.c_str(), command.data(), nullptr, nullptr, FALSE, 0, nullptr, nullptr, &startup,
                         &started));
  CloseHandle(started.hThread);
  process_ = started.hProcess;
  pid_ = started.dwProcessId;
}

other_process::~other_process() {
  TerminateProcess(process_, 1);
  CloseHandle(process_);
}

int other_process::exit_code() {
  DWORD code = 0;
  if (WaitForSingleObject(process_, 10'000) != WAIT_OBJECT_0 || !GetExitCodeProcess(process_, &code))
    return -1;
  return static_cast<int>(code);
}

}  // namespace tp::test
