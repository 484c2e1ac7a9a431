// Identities of clients (their tokens), of servers (the owner of the pipe) and of this process.
#include "windows/peer.hpp"

#include <string>

#include "fatal.hpp"
#include "windows/account.hpp"

namespace tp::platform {
namespace {

// The token the thread has on. By the process's own rights first; a client's token may admit nobody but the
// client, so by the client's rights next, which a level below impersonation doesn't give.
unique_handle token_of_thread() noexcept {
  HANDLE token = nullptr;
  constexpr DWORD rights = TOKEN_QUERY | TOKEN_IMPERSONATE;
  if (OpenThreadToken(GetCurrentThread(), rights, TRUE, &token)) return unique_handle(token);
  if (OpenThreadToken(GetCurrentThread(), rights, FALSE, &token)) return unique_handle(token);
  return {};
}

fact<std::string> sid_fact(std::string sid) {
  if (sid.empty()) return {};
  return {std::move(sid), trust::authoritative};
}

}  // namespace

// The process is told by its number only: OpenProcess could open another one that has the number by now, so
// identity::process stays null.
void learn_client(pipe_end& end) noexcept {
  ULONG pid = 0;
  if (GetNamedPipeClientProcessId(end.handle.get(), &pid)) {
    end.peer.pid = {static_cast<std::uint32_t>(pid), trust::advisory};
  }
  if (!ImpersonateNamedPipeClient(end.handle.get())) {
    end.peer_unknown = GetLastError() == ERROR_CANNOT_IMPERSONATE;
    return;
  }
  end.peer_unknown = false;
  unique_handle token = token_of_thread();
  // RevertToSelf's page: a process that can't go back must end.
  if (!RevertToSelf()) detail::fatal("this thread can't lay down its client's identity");
  if (!token) return;  // an anonymous client (ERROR_CANT_OPEN_ANONYMOUS)
  end.peer.sid = sid_fact(user_of(token.get()));
  end.peer.token = std::make_shared<client_token>(std::move(token));
}

identity server_of(HANDLE pipe) {
  identity server;
  server.sid = sid_fact(owner_of(pipe));
  ULONG pid = 0;
  if (GetNamedPipeServerProcessId(pipe, &pid))
    server.pid = {static_cast<std::uint32_t>(pid), trust::advisory};
  return server;
}

identity own_identity() {
  identity self;
  self.sid = sid_fact(own_sid());
  self.pid = {static_cast<std::uint32_t>(GetCurrentProcessId()), trust::advisory};
  return self;
}

}  // namespace tp::platform
