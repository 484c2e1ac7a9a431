// Acting as a client: its token, put on the calling thread.
#include "impersonator.hpp"

#include <windows.h>

#include <optional>

#include "fatal.hpp"
#include "twinpipe/backend/twin.hpp"
#include "windows/errors.hpp"
#include "windows/peer.hpp"

namespace tp::platform {
namespace {

thread_local bool inside = false;

std::optional<SECURITY_IMPERSONATION_LEVEL> level_of(HANDLE token) noexcept {
  SECURITY_IMPERSONATION_LEVEL level{};
  DWORD size = 0;
  if (!GetTokenInformation(token, TokenImpersonationLevel, &level, sizeof level, &size)) return std::nullopt;
  return level;
}

std::unexpected<error> denied(const char* why, int cause = 0) {
  return fail(errc::impersonation_denied, operation::run_as_client, cause, make_text(why));
}

// Null if there is none, or if `peer` isn't a client of this process.
HANDLE token_of(const identity& peer) noexcept {
  const auto* token = dynamic_cast<const client_token*>(peer.token.get());
  return token != nullptr ? token->get() : nullptr;
}

class token_impersonator final : public backend::impersonator {
 public:
  [[nodiscard]] result<void> check(const identity& peer) const override {
    const HANDLE token = token_of(peer);
    if (token == nullptr) return denied("the client gave no token: it is anonymous, or has sent nothing yet");
    const auto level = level_of(token);
    if (!level || *level < SecurityImpersonation) {
      return denied("the client allows identification only; it must connect with level impersonation");
    }
    return {};
  }

  [[nodiscard]] result<void> enter(const identity& peer) override {
    if (inside) return fail(errc::operation_in_progress, operation::run_as_client);
    if (auto ok = check(peer); !ok) return ok;
    if (!SetThreadToken(nullptr, token_of(peer))) {
      return denied("the system refused to put on the client's token", static_cast<int>(GetLastError()));
    }
    inside = true;
    // Without SeImpersonatePrivilege another user's token is put on, and silently lowered to identification.
    if (const auto level = worn_level(); level && *level >= SecurityImpersonation) return {};
    revert();
    return denied("this process has no SeImpersonatePrivilege, so it can't act as another user");
  }

  void revert() noexcept override {
    if (!RevertToSelf()) detail::fatal("this thread can't lay down its client's identity");
    inside = false;
  }

  [[nodiscard]] bool active() const noexcept override { return inside; }

 private:
  static std::optional<SECURITY_IMPERSONATION_LEVEL> worn_level() noexcept {
    HANDLE token = nullptr;
    if (!OpenThreadToken(GetCurrentThread(), TOKEN_QUERY, TRUE, &token)) return std::nullopt;
    const unique_handle owner(token);
    return level_of(token);
  }
};
static_assert(backend::implements<token_impersonator, backend::impersonator>);

}  // namespace

bool can_switch_users() {
  HANDLE token = nullptr;
  if (!OpenProcessToken(GetCurrentProcess(), TOKEN_QUERY, &token)) return false;
  const unique_handle owner(token);
  PRIVILEGE_SET wanted{.PrivilegeCount = 1, .Control = PRIVILEGE_SET_ALL_NECESSARY, .Privilege = {}};
  if (!LookupPrivilegeValueW(nullptr, SE_IMPERSONATE_NAME, &wanted.Privilege[0].Luid)) return false;
  BOOL held = FALSE;
  return PrivilegeCheck(token, &wanted, &held) && held;
}

std::unique_ptr<backend::impersonator> make_impersonator() {
  return std::make_unique<token_impersonator>();
}

}  // namespace tp::platform
