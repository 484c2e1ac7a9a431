// Identities and impersonation on the Windows twin.
#include <windows.h>

#include <aclapi.h>

#include <catch2/catch.hpp>
#include <thread>

#include "other_process.hpp"
#include "rig.hpp"
#include "support/skip.hpp"

namespace tp::test {
namespace {

using backend::attachment;

enum class says { nothing, hello };

// A client whose handle the case has opened itself, with flags of its choice; it may have said something. Its
// server's end.
struct foreign_client {
  HANDLE handle = INVALID_HANDLE_VALUE;
  backend::stream_ptr server;
  ~foreign_client() { CloseHandle(handle); }
};

void join(foreign_client& client, backend::process& process, backend::system& system, DWORD quality,
          says first) {
  const auto bound = bind(process, fresh_name());
  auto acceptor = system.open(bound);
  REQUIRE(acceptor);
  client.handle = CreateFileA(bound->location().c_str(), GENERIC_READ | GENERIC_WRITE, 0, nullptr,
                              OPEN_EXISTING, quality, nullptr);
  REQUIRE(client.handle != INVALID_HANDLE_VALUE);
  client.server = attach(system, accept(system, **acceptor), attachment::half_open);
  if (first == says::nothing) return;
  DWORD written = 0;
  REQUIRE(WriteFile(client.handle, "hello", 5, &written, nullptr));
  REQUIRE(read(system, *client.server) == "hello");
}

bool wears_a_token() {
  HANDLE token = nullptr;
  if (!OpenThreadToken(GetCurrentThread(), TOKEN_QUERY, TRUE, &token)) {
    REQUIRE(GetLastError() == ERROR_NO_TOKEN);
    return false;
  }
  CloseHandle(token);
  return true;
}

TEST_CASE("once its hello is read, a client's user is known by the kernel's word") {
  const auto process = a_process();
  const auto system = a_system(*process);
  auto pair = a_pair(*process, *system, attachment::half_open);
  REQUIRE(write(*system, *pair.client, "hello") == errc::none);
  REQUIRE(read(*system, *pair.server) == "hello");
  const identity& client = pair.server->peer();
  CHECK(client.sid.may_authorise());
  CHECK(client.sid.value.starts_with("S-1-"));
  CHECK(client.same_user(process->self()));
  CHECK(client.pid.value == GetCurrentProcessId());
  CHECK_FALSE(client.pid.may_authorise());
  CHECK(client.process == nullptr);  // only its number is known, which could be another's by now
  CHECK(client.token != nullptr);
}

TEST_CASE("a client knows its server before its first byte, as the owner of the pipe") {
  const auto process = a_process();
  const auto system = a_system(*process);
  const endpoint_name name = fresh_name();
  const auto bound = bind(*process, name);
  const auto client = connect(*system, name);
  CHECK(client->peer().sid.may_authorise());
  CHECK(client->peer().same_user(process->self()));
}

TEST_CASE("a client in another process is told by its process and its user, and its echo arrives") {
  const auto process = a_process();
  const auto system = a_system(*process);
  const endpoint_name name = fresh_name();
  const auto bound = bind(*process, name);
  auto acceptor = system->open(bound);
  REQUIRE(acceptor);
  other_process client("foreign_client.exe", bound->location());
  auto server = attach(*system, accept(*system, **acceptor), attachment::half_open);
  const std::string hello = read(*system, *server);
  CHECK(hello == "hello from another process");
  CHECK(server->peer().pid.value == client.pid());
  CHECK(server->peer().same_user(process->self()));
  auto established = attach(*system, server->detach());
  REQUIRE(write(*system, *established, hello) == errc::none);
  CHECK(client.exit_code() == 0);
  CHECK(read(*system, *established) == "<end>");
}

TEST_CASE("impersonation puts a client's token on this thread alone, and revert takes it off") {
  const auto process = a_process();
  const auto system = a_system(*process);
  foreign_client client;
  join(client, *process, *system, SECURITY_SQOS_PRESENT | SECURITY_IMPERSONATION, says::hello);
  auto& impersonator = process->impersonator();
  REQUIRE(impersonator.check(client.server->peer()));
  REQUIRE_FALSE(wears_a_token());
  REQUIRE(impersonator.enter(client.server->peer()));
  CHECK(impersonator.active());
  CHECK(wears_a_token());
  bool elsewhere = true;
  std::thread([&] { elsewhere = impersonator.active() || wears_a_token(); }).join();
  CHECK_FALSE(elsewhere);
  const auto nested = impersonator.enter(client.server->peer());
  impersonator.revert();
  CHECK_FALSE(impersonator.active());
  CHECK_FALSE(wears_a_token());
  REQUIRE_FALSE(nested);
  CHECK(nested.error().code() == errc::operation_in_progress);
}

TEST_CASE("a client that connects with level impersonation is impersonated, and so is one with delegation") {
  const auto process = a_process();
  const auto system = a_system(*process);
  for (const auto level : {impersonation_level::impersonation, impersonation_level::delegation}) {
    const endpoint_name name = fresh_name();
    const auto bound = bind(*process, name);
    auto acceptor = system->open(bound);
    REQUIRE(acceptor);
    const auto client = attach(*system, connect(*system, name, level));
    const auto server = attach(*system, accept(*system, **acceptor), attachment::half_open);
    REQUIRE(write(*system, *client, "hello") == errc::none);
    REQUIRE(read(*system, *server) == "hello");
    REQUIRE(process->impersonator().enter(server->peer()));
    process->impersonator().revert();
  }
}

TEST_CASE(
    "a client's token outlives its connection, so the last requests may still be served as the client") {
  const auto process = a_process();
  const auto system = a_system(*process);
  identity kept;
  {
    foreign_client client;
    join(client, *process, *system, SECURITY_SQOS_PRESENT | SECURITY_IMPERSONATION, says::hello);
    kept = client.server->peer();
  }
  REQUIRE(process->impersonator().enter(kept));
  const auto text = process->files().read(nullptr, "no such file", 10);
  process->impersonator().revert();
  REQUIRE_FALSE(text);
  CHECK(text.error().code() == errc::not_found);
}

TEST_CASE("nobody is impersonated who isn't a client of this process") {
  const auto process = a_process();
  const auto refused = process->impersonator().enter(process->self());
  REQUIRE_FALSE(refused);
  CHECK(refused.error().code() == errc::impersonation_denied);
  CHECK_FALSE(wears_a_token());
}

TEST_CASE("a client that allows identification only is not impersonated, and the refusal names the option") {
  if (under_wine()) return skip("Wine 8 gives every client's token the level impersonation");
  const auto process = a_process();
  const auto system = a_system(*process);
  auto pair = a_pair(*process, *system, attachment::half_open);
  REQUIRE(write(*system, *pair.client, "hello") == errc::none);
  REQUIRE(read(*system, *pair.server) == "hello");
  const auto refused = process->impersonator().enter(pair.server->peer());
  REQUIRE_FALSE(refused);
  CHECK(refused.error().code() == errc::impersonation_denied);
  CHECK(refused.error().subject().find("level impersonation") != std::string::npos);
}

TEST_CASE("a client that asks for dynamic tracking is unknown until it has said something") {
  if (under_wine()) return skip("Wine 8 lets a server impersonate before the first read");
  const auto process = a_process();
  const auto system = a_system(*process);
  foreign_client client;
  const DWORD dynamic = SECURITY_SQOS_PRESENT | SECURITY_IDENTIFICATION | SECURITY_CONTEXT_TRACKING;
  join(client, *process, *system, dynamic, says::nothing);
  CHECK_FALSE(client.server->peer().sid.known());
  DWORD written = 0;
  REQUIRE(WriteFile(client.handle, "hello", 5, &written, nullptr));
  REQUIRE(read(*system, *client.server) == "hello");
  CHECK(client.server->peer().sid.may_authorise());
}

TEST_CASE("clients of a name for everyone are granted no right to serve it") {
  const auto process = a_process();
  auto bound = process->names().bind(
      {.name = fresh_name(), .runtime_directory = {}, .access = access_policy::everyone_local()});
  REQUIRE(bound);
  const HANDLE pipe =
      CreateFileA((*bound)->location().c_str(), GENERIC_READ, 0, nullptr, OPEN_EXISTING, 0, nullptr);
  REQUIRE(pipe != INVALID_HANDLE_VALUE);
  PACL list = nullptr;
  PSECURITY_DESCRIPTOR descriptor = nullptr;
  const DWORD rc = GetSecurityInfo(pipe, SE_KERNEL_OBJECT, DACL_SECURITY_INFORMATION, nullptr, nullptr, &list,
                                   nullptr, &descriptor);
  CloseHandle(pipe);
  REQUIRE(rc == ERROR_SUCCESS);
  REQUIRE(list != nullptr);
  int for_everyone = 0;
  for (WORD i = 0; i < list->AceCount; ++i) {
    void* entry = nullptr;
    REQUIRE(GetAce(list, i, &entry));
    const auto* ace = static_cast<const ACCESS_ALLOWED_ACE*>(entry);
    const auto sid = const_cast<DWORD*>(&ace->SidStart);
    if (ace->Header.AceType != ACCESS_ALLOWED_ACE_TYPE || !IsWellKnownSid(sid, WinWorldSid)) continue;
    ++for_everyone;
    CHECK((ace->Mask & FILE_CREATE_PIPE_INSTANCE) == 0);
    CHECK((ace->Mask & (WRITE_DAC | WRITE_OWNER | DELETE)) == 0);
  }
  LocalFree(descriptor);
  CHECK(for_everyone == 1);
}

}  // namespace
}  // namespace tp::test
