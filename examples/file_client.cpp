// file_client NAME FILE [MANNER]: asks the file_server NAME for FILE and prints it. MANNER is one of
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

class file_client {
 public:
  explicit file_client(tp::runtime& rt)
      : rt_(rt),
        arguments_(rt.owner().arguments()),
        manner_(arguments_.size() > 3 ? arguments_[3] : ""),
        out_(manner_ == "copy" ? stderr : stdout) {}

  tp::task<int> run() {
    auto server = co_await enter();
    if (!server) {
      say(server.error().message());
      co_return server.error() == tp::errc::busy ? exit_busy : 1;
    }
    say("was greeted with \"" + std::string(file_service::greeting) + "\"");
    if (manner_ == "leave") {
      say("leaves before it asks");
      co_return 0;
    }
    if (manner_ == "hold") {
      say("holds its instance");
      while (std::getchar() != EOF) {
      }
      // Time stands still within a turn, so deadlines would count from before this wait.
      static_cast<void>(co_await rt_.sleep(milliseconds(1)));
    }
    auto answer = co_await file_service::ask(*server, arguments_[2]);
    if (!answer) {
      say(answer.error().message());
      co_return 1;
    }
    show(*answer);
    co_return answer->granted ? 0 : exit_refused;
  }

 private:
  tp::task<tp::result<tp::connection>> enter() {
    const std::string& name = arguments_[1];
    const int chosen = std::atoi(manner_.c_str());
    const milliseconds patience(chosen > 0 ? chosen : 30'000);
    if (manner_ != "wait") co_return co_await file_service::enter(rt_, name, patience);
    auto at_once = co_await file_service::enter(rt_, name, milliseconds(200));
    if (at_once || at_once.error() != tp::errc::busy) co_return at_once;
    say("finds all instances taken and waits for one");
    co_return co_await file_service::enter(rt_, name, patience);
  }

  void show(const file_service::answer& answer) const {
    if (!answer.granted) {
      say(tp::escape(answer.text));
    } else if (manner_ == "copy") {
      std::fwrite(answer.text.data(), 1, answer.text.size(), stdout);
      say("copied " + std::to_string(answer.text.size()) + " bytes");
    } else {
      say("read \"" + tp::escape(answer.text, shown_max) + "\"");
    }
  }

  void say(const std::string& text) const {
    std::fprintf(out_, "  client %s: %s\n", rt_.owner().self().to_string().c_str(), text.c_str());
    std::fflush(out_);
  }

  tp::runtime& rt_;
  const std::vector<std::string>& arguments_;
  const std::string manner_;
  std::FILE* const out_;
};

tp::task<int> run_client(tp::runtime& rt) {
  file_client client(rt);
  co_return co_await client.run();
}

}  // namespace

int main(int argc, char** argv) {
  return tp::run(argc, argv, [](tp::process& p) {
    if (p.arguments().size() >= 3) return p.run(run_client);
    p.log("usage: file_client NAME FILE [leave|hold|wait|copy|MS]");
    return 2;
  });
}
