// A client in a process of its own, by plain calls of Windows: says hello to the pipe it is given, and
// succeeds if that comes back.
#include <windows.h>

#include <array>
#include <string_view>

int main(int argc, char** argv) {
  if (argc != 2) return 2;
  const HANDLE pipe = CreateFileA(argv[1], GENERIC_READ | GENERIC_WRITE, 0, nullptr, OPEN_EXISTING,
                                  SECURITY_SQOS_PRESENT | SECURITY_IDENTIFICATION, nullptr);
  if (pipe == INVALID_HANDLE_VALUE) return 3;
  constexpr std::string_view hello = "hello from another process";
  DWORD n = 0;
  if (!WriteFile(pipe, hello.data(), static_cast<DWORD>(hello.size()), &n, nullptr)) return 4;
  std::array<char, 64> answer{};
  if (!ReadFile(pipe, answer.data(), static_cast<DWORD>(answer.size()), &n, nullptr)) return 5;
  return std::string_view(answer.data(), n) == hello ? 0 : 6;
}
