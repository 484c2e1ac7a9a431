// SIDs of tokens and objects, and the DACL of a pipe.
#include "windows/account.hpp"

#include <aclapi.h>
#include <sddl.h>

#include <cstddef>
#include <vector>

#include "windows/errors.hpp"
#include "windows/handle.hpp"
#include "windows/text.hpp"

namespace tp::platform {

std::string sid_text(PSID sid) {
  LPWSTR text = nullptr;
  if (!ConvertSidToStringSidW(sid, &text)) return {};
  const std::unique_ptr<void, local_freer> owner(text);
  return narrow(text);
}

std::string user_of(HANDLE token) {
  DWORD size = 0;
  GetTokenInformation(token, TokenUser, nullptr, 0, &size);
  std::vector<std::byte> buffer(size);
  if (size == 0 || !GetTokenInformation(token, TokenUser, buffer.data(), size, &size)) return {};
  return sid_text(reinterpret_cast<const TOKEN_USER*>(buffer.data())->User.Sid);
}

const std::string& own_sid() {
  static const std::string sid = [] {
    HANDLE token = nullptr;
    if (!OpenProcessToken(GetCurrentProcess(), TOKEN_QUERY, &token)) return std::string();
    const unique_handle owner(token);
    return user_of(token);
  }();
  return sid;
}

std::string owner_of(HANDLE pipe) {
  PSID owner = nullptr;
  PSECURITY_DESCRIPTOR descriptor = nullptr;
  const DWORD rc = GetSecurityInfo(pipe, SE_KERNEL_OBJECT, OWNER_SECURITY_INFORMATION, &owner, nullptr,
                                   nullptr, nullptr, &descriptor);
  if (rc != ERROR_SUCCESS) return {};
  const std::unique_ptr<void, local_freer> freer(descriptor);
  return owner != nullptr ? sid_text(owner) : std::string();
}

result<descriptor_ptr> pipe_security(access_policy::audience audience) {
  using enum access_policy::audience;
  if (audience != same_user && audience != everyone_local) return fail(errc::not_supported, operation::bind);
  // NU: whoever logged on over the network; SY: SYSTEM; WD: everyone. The denial comes first, as the order
  // decides.
  const std::string& me = own_sid();
  std::string sddl = "O:" + me + "D:P(D;;GA;;;NU)(A;;GA;;;" + me + ")(A;;GA;;;SY)";
  if (audience == everyone_local) sddl += "(A;;" + std::to_string(client_rights) + ";;;WD)";
  PSECURITY_DESCRIPTOR descriptor = nullptr;
  if (!ConvertStringSecurityDescriptorToSecurityDescriptorW(widen(sddl).c_str(), SDDL_REVISION_1, &descriptor,
                                                            nullptr)) {
    const DWORD cause = GetLastError();
    return fail(status_of(cause).code, operation::bind, static_cast<int>(cause));
  }
  return descriptor_ptr(descriptor);
}

}  // namespace tp::platform
