// file_client [--blocking] NAME FILE [MANNER]: asks the file_server NAME for FILE and prints it, in a
// coroutine or in a thread that blocks. MANNER is one of
//   leave   goes away instead of asking
//   hold    keeps its instance until standard input ends, and asks then
//   wait    says so if all instances are taken, and waits for one
//   copy    writes the file as it is to standard output, and everything else to standard error
//   MS      so many milliseconds of patience when it connects, instead of 30000
// Exit code: 0 the file came, 3 the server refused, 4 no instance was free in time, 1 anything else.
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <vector>

#include "file_service.hpp"

namespace {

using std::chrono::milliseconds;

constexpr int exit_refused = 3;
constexpr int exit_busy = 4;
constexpr std::size_t shown_max = 60;
constexpr milliseconds soon(200);

class manners {
 public:
  manners(tp::process& owner, std::vector<std::string> arguments)
      : owner_(owner),
        arguments_(std::move(arguments)),
        manner_(arguments_.size() > 3 ? arguments_[3] : ""),
        out_(manner_ == "copy" ? stderr : stdout) {}

  [[nodiscard]] const std::string& name() const { return arguments_[1]; }
  [[nodiscard]] const std::string& file() const { return arguments_[2]; }
  [[nodiscard]] bool leaves() const { return manner_ == "leave"; }
  [[nodiscard]] bool holds() const { return manner_ == "hold"; }
  [[nodiscard]] bool waits() const { return manner_ == "wait"; }
  [[nodiscard]] milliseconds patience() const {
    const int chosen = std::atoi(manner_.c_str());
    return milliseconds(chosen > 0 ? chosen : 30'000);
  }

  [[nodiscard]] int failed(const tp::error& why) const {
    say(why.message());
    return why == tp::errc::busy ? exit_busy : 1;
  }
  void greeted() const { say("was greeted with \"" + std::string(file_service::greeting) + "\""); }
  void finds_all_taken() const { say("finds all instances taken and waits for one"); }
  void hold() const {
    say("holds its instance");
    while (std::getchar() != EOF) {
    }
  }
  [[nodiscard]] int leave() const {
    say("leaves before it asks");
    return 0;
  }
  [[nodiscard]] int show(const file_service::answer& answer) const {
    if (!answer.granted) {
      say(tp::escape(answer.text));
    } else if (manner_ == "copy") {
      std::fwrite(answer.text.data(), 1, answer.text.size(), stdout);
      say("copied " + std::to_string(answer.text.size()) + " bytes");
    } else {
      say("read \"" + tp::escape(answer.text, shown_max) + "\"");
    }
    return answer.granted ? 0 : exit_refused;
  }

 private:
  void say(const std::string& text) const {
    std::fprintf(out_, "  client %s: %s\n", owner_.self().to_string().c_str(), text.c_str());
    std::fflush(out_);
  }

  tp::process& owner_;
  const std::vector<std::string> arguments_;
  const std::string manner_;
  std::FILE* const out_;
};

tp::task<tp::result<tp::connection>> enter(tp::runtime& rt, const manners& how) {
  if (!how.waits()) co_return co_await file_service::enter(rt, how.name(), how.patience());
  auto at_once = co_await file_service::enter(rt, how.name(), soon);
  if (at_once || at_once.error() != tp::errc::busy) co_return at_once;
  how.finds_all_taken();
  co_return co_await file_service::enter(rt, how.name(), how.patience());
}

tp::task<int> run_client(tp::runtime& rt, const manners& how) {
  auto server = co_await enter(rt, how);
  if (!server) co_return how.failed(server.error());
  how.greeted();
  if (how.leaves()) co_return how.leave();
  if (how.holds()) {
    how.hold();
    // Time stands still within a turn, so deadlines would count from before this wait.
    static_cast<void>(co_await rt.sleep(milliseconds(1)));
  }
  auto answer = co_await file_service::ask(*server, how.file());
  co_return answer ? how.show(*answer) : how.failed(answer.error());
}

tp::result<tp::blocking::connection> enter(tp::process& p, const manners& how) {
  if (!how.waits()) return file_service::enter(p, how.name(), how.patience());
  auto at_once = file_service::enter(p, how.name(), soon);
  if (at_once || at_once.error() != tp::errc::busy) return at_once;
  how.finds_all_taken();
  return file_service::enter(p, how.name(), how.patience());
}

int run_client(tp::process& p, const manners& how) {
  auto server = enter(p, how);
  if (!server) return how.failed(server.error());
  how.greeted();
  if (how.leaves()) return how.leave();
  if (how.holds()) how.hold();
  auto answer = file_service::ask(*server, how.file());
  return answer ? how.show(*answer) : how.failed(answer.error());
}

}  // namespace

int main(int argc, char** argv) {
  return tp::run(argc, argv, [](tp::process& p) {
    std::vector<std::string> arguments = p.arguments();
    const bool blocks = std::erase(arguments, "--blocking") > 0;
    if (arguments.size() < 3) {
      p.log("usage: file_client [--blocking] NAME FILE [leave|hold|wait|copy|MS]");
      return 2;
    }
    const manners how(p, std::move(arguments));
    return blocks ? run_client(p, how) : p.run([&](tp::runtime& rt) { return run_client(rt, how); });
  });
}
