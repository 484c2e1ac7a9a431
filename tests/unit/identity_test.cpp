// Identities: which facts count, and how they read.
#include "twinpipe/identity.hpp"

#include <catch2/catch.hpp>

namespace {

using tp::identity;
using tp::trust;

identity unix_user(std::uint32_t uid, trust level = trust::authoritative) {
  identity who;
  who.uid = {uid, level};
  return who;
}

identity windows_user(const char* sid, trust level = trust::authoritative) {
  identity who;
  who.sid = {sid, level};
  return who;
}

}  // namespace

TEST_CASE("an identity reads as its known facts") {
  identity who = unix_user(1001);
  CHECK(who.to_string() == "uid 1001");
  who.gid = {1002, trust::authoritative};
  who.pid = {4711, trust::advisory};
  CHECK(who.to_string() == "uid 1001, gid 1002, pid 4711");
  CHECK(windows_user("S-1-5-21-7").to_string() == "sid S-1-5-21-7");
}

TEST_CASE("an identity of nobody known says so") {
  identity who;
  CHECK(who.to_string() == "unknown user");
  who.pid = {12, trust::advisory};
  CHECK(who.to_string() == "unknown user, pid 12");
}

TEST_CASE("a claimed host is escaped where an identity is shown") {
  identity who = unix_user(7);
  who.host = {"evil\x1b[2J", trust::advisory};
  CHECK(who.to_string() == "uid 7, host evil\\x1b[2J");
}

TEST_CASE("two identities are the same user by the kernel's word only") {
  CHECK(unix_user(7).same_user(unix_user(7)));
  CHECK_FALSE(unix_user(7).same_user(unix_user(8)));
  CHECK_FALSE(unix_user(7, trust::advisory).same_user(unix_user(7)));
  CHECK_FALSE(unix_user(7).same_user(unix_user(7, trust::advisory)));
  CHECK(windows_user("S-1-5-21-7").same_user(windows_user("S-1-5-21-7")));
  CHECK_FALSE(windows_user("S-1-5-21-7").same_user(windows_user("S-1-5-21-8")));
}

TEST_CASE("an unknown user is the same as nobody, not even as itself") {
  CHECK_FALSE(identity{}.same_user(identity{}));
  CHECK_FALSE(unix_user(65534, trust::unknown).same_user(unix_user(65534, trust::unknown)));
  CHECK_FALSE(identity{}.same_user(unix_user(0)));
}

TEST_CASE("a number and a security identifier have nothing in common") {
  CHECK_FALSE(unix_user(0).same_user(windows_user("S-1-5-18")));
}

TEST_CASE("where both a number and a security identifier are known, both must agree") {
  identity one = unix_user(7), other = unix_user(7);
  one.sid = {"S-1-5-21-1", trust::authoritative};
  other.sid = {"S-1-5-21-2", trust::authoritative};
  CHECK_FALSE(one.same_user(other));
  other.sid = one.sid;
  CHECK(one.same_user(other));
}

TEST_CASE("the same number on another host is another user") {
  identity there = unix_user(7);
  there.host = {"far", trust::advisory};
  CHECK_FALSE(there.same_user(unix_user(7)));
  CHECK_FALSE(unix_user(7).same_user(there));
}

TEST_CASE("root and SYSTEM are superusers if the kernel says so") {
  CHECK(unix_user(0).is_superuser());
  CHECK(windows_user("S-1-5-18").is_superuser());
  CHECK_FALSE(unix_user(1).is_superuser());
  CHECK_FALSE(unix_user(0, trust::advisory).is_superuser());
  CHECK_FALSE(windows_user("S-1-5-18", trust::advisory).is_superuser());
  CHECK_FALSE(windows_user("S-1-5-180").is_superuser());
  CHECK_FALSE(identity{}.is_superuser());
}

TEST_CASE("membership counts the primary and the supplementary groups that are authoritative") {
  identity who = unix_user(7);
  CHECK_FALSE(who.in_group(0));
  who.gid = {20, trust::authoritative};
  who.groups = {{30, 31}, trust::authoritative};
  CHECK(who.in_group(20));
  CHECK(who.in_group(31));
  CHECK_FALSE(who.in_group(32));
  who.gid.level = trust::advisory;
  who.groups.level = trust::advisory;
  CHECK_FALSE(who.in_group(20));
  CHECK_FALSE(who.in_group(31));
}
