// Errors: their names, their sentences, and how they are completed on the way up.
#include "twinpipe/error.hpp"

#include <catch2/catch.hpp>
#include <cerrno>
#include <set>
#include <string>
#include <vector>

namespace {

using tp::errc;
using tp::error;
using tp::operation;

std::vector<errc> all_codes() {
  std::vector<errc> codes;
  for (int i = 1; i <= static_cast<int>(errc::process_killed); ++i) codes.push_back(static_cast<errc>(i));
  return codes;
}

std::vector<operation> all_operations() {
  std::vector<operation> operations;
  for (int i = 0; i <= static_cast<int>(operation::sleep); ++i)
    operations.push_back(static_cast<operation>(i));
  return operations;
}

}  // namespace

TEST_CASE("every code has a name of its own, written as in the source") {
  std::set<std::string_view> seen;
  for (const errc code : all_codes()) {
    const std::string_view name = to_string(code);
    CAPTURE(name);
    CHECK(seen.insert(name).second);
    CHECK_FALSE(name.empty());
    CHECK(name.find_first_not_of("abcdefghijklmnopqrstuvwxyz_") == std::string_view::npos);
  }
  CHECK(to_string(errc::none) == "none");
  CHECK(to_string(errc::timed_out) == "timed_out");
  CHECK(to_string(errc::discarded) == "discarded");
  CHECK(to_string(errc::process_killed) == "process_killed");
}

TEST_CASE("every operation has a verb of its own") {
  std::set<std::string_view> seen;
  for (const operation op : all_operations()) {
    CAPTURE(to_string(op));
    CHECK(seen.insert(to_string(op)).second);
    CHECK_FALSE(to_string(op).empty());
  }
  CHECK(to_string(operation::read_file) == "read the file");
  CHECK(to_string(operation::sleep) == "sleep");
}

TEST_CASE("every code explains itself and names a remedy that no other code has") {
  std::set<std::string> explanations, remedies;
  for (const errc code : all_codes()) {
    const std::string text = error(code).message();
    CAPTURE(text);
    const std::size_t split = text.find("; ");
    REQUIRE(split != std::string::npos);
    CHECK(split > 8);
    CHECK(text.size() - split > 12);
    CHECK(explanations.insert(text.substr(0, split)).second);
    CHECK(remedies.insert(text.substr(split)).second);
    CHECK(text.find('\n') == std::string::npos);
    CHECK(text.back() != '.');
  }
}

TEST_CASE("a message is one sentence: what failed, on what, why, and the remedy") {
  const error busy(errc::busy, operation::connect, 0, tp::make_text("files"));
  CHECK(busy.message() ==
        "connect to 'files' failed: every instance stayed busy until the deadline; "
        "raise max_instances on the server or wait longer");
}

TEST_CASE("every operation begins the sentence and stands before the subject") {
  for (const operation op : all_operations()) {
    const std::string text = error(errc::closed, op, 0, tp::make_text("files")).message();
    CAPTURE(text);
    CHECK(text.starts_with(to_string(op)));
    CHECK(text.find(" 'files' failed: ") != std::string::npos);
  }
}

TEST_CASE("a message gives the number and the words of the system's cause") {
  const error denied(errc::access_denied, operation::read_file, EACCES, tp::make_text("/srv/secret"));
  const std::string text = denied.message();
  CAPTURE(text);
  CHECK(text.starts_with("read the file '/srv/secret' failed: access denied"));
  CHECK(text.find("(errno " + std::to_string(EACCES) + ": Permission denied); ") != std::string::npos);
}

TEST_CASE("a message without a system cause mentions none") {
  CHECK(error(errc::timed_out, operation::receive).message().find("errno") == std::string::npos);
}

TEST_CASE("a message without a subject or an operation leaves them out") {
  CHECK(error(errc::busy, operation::connect).message().starts_with("connect failed: every instance"));
  CHECK(error(errc::busy).message().starts_with("every instance"));
  CHECK(error(errc::none).message() == "no error");
}

TEST_CASE("a subject of several words follows the explanation") {
  const auto tried = tp::make_text("tried '/run/a' (absent), '/run/b' (refused)");
  const std::string text = error(errc::not_found, operation::connect, 0, tried).message();
  CAPTURE(text);
  CHECK(text.starts_with("connect failed: it does not exist, or nobody listens there: tried '/run/a'"));
  CHECK(text.find("(refused); check the name") != std::string::npos);
}

TEST_CASE("a remedy fits the operation and its circumstances") {
  using tp::circumstance;
  const auto says = [](const error& e, std::string_view text) {
    CAPTURE(e.message(), text);
    CHECK(e.message().find(text) != std::string::npos);
    CHECK(
        (e.message().find("wait_for_server") == std::string::npos || e.what_failed() == operation::connect));
  };
  says(error(errc::not_found, operation::connect), "start the server first");
  says(error(errc::not_found, operation::bind), "make the directory first");
  says(error(errc::not_found, operation::read_file), "there is no such file; check the path");
  says(error(errc::access_denied, operation::read_file), "inside run_as_client the client");
  says(error(errc::access_denied, operation::connect), "endpoint_options::access");
  says(error(errc::name_in_use, operation::bind), "stop the server that holds it");
  says(error(errc::name_in_use, operation::bind).in(circumstance::no_socket), "move it away");
  says(error(errc::untrusted_location, operation::connect).in(circumstance::others_socket),
       "expected_server");
  says(error(errc::operation_in_progress, operation::receive), "await that one first");
  says(error(errc::operation_in_progress, operation::receive).in(circumstance::blocking), "another thread");
  says(error(errc::closed, operation::send), "this side closed it");
  says(error(errc::closed, operation::send).in(circumstance::grace_passed),
       "withdrawn within the second of grace");
}

TEST_CASE("what an error is about in addition survives about and doesn't change its code") {
  const error e = error(errc::closed).in(tp::circumstance::grace_passed);
  CHECK(e == errc::closed);
  CHECK(e.about(operation::send, tp::make_text("files")).message().find("withdrawn") != std::string::npos);
}

TEST_CASE("control bytes never leave a message as they came") {
  const error e(errc::invalid_name, operation::connect, 0, tp::make_text("a\x1b[2J\nb\xc2\x9b"));
  for (const char c : e.message()) CHECK((c >= ' ' && c <= '~'));
  CHECK(e.message().find("a\\x1b[2J\\x0ab\\xc2\\x9b") != std::string::npos);
}

TEST_CASE("about fills in what is unknown and keeps what is known") {
  const auto files = tp::make_text("files");
  const error bare = error(errc::closed, operation::none, 7).about(operation::send, files);
  CHECK(bare.what_failed() == operation::send);
  CHECK(bare.subject() == "files");
  CHECK(bare.system_cause() == 7);
  CHECK(bare == errc::closed);

  const error known = bare.about(operation::receive, tp::make_text("other"));
  CHECK(known.what_failed() == operation::send);
  CHECK(known.subject() == "files");
}

TEST_CASE("errors about one subject share its text") {
  const auto files = tp::make_text("files");
  const error first = error(errc::busy).about(operation::connect, files);
  const error second = first;
  CHECK(first.subject().data() == files->data());
  CHECK(second.subject().data() == files->data());
}

TEST_CASE("the error of one result becomes that of another") {
  const tp::result<int> number = tp::fail(errc::busy, operation::connect, 11, tp::make_text("files"));
  const tp::result<std::string> text = tp::fail(number);
  REQUIRE_FALSE(text);
  CHECK(text.error() == errc::busy);
  CHECK(text.error().system_cause() == 11);
  CHECK(text.error().subject() == "files");
}
