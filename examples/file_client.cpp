// file_client NAME FILE [leave|hold|PATIENCE_MS]: asks the file_server NAME for FILE and prints it.
// `leave` goes away instead of asking; `hold` keeps its instance until standard input ends, and then asks.
// Exit code: 0 the file came, 3 the server refused, 4 no instance was free in time, 1 anything else.
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <string>

#include "file_service.hpp"

namespace {

constexpr int exit_refused = 3;
constexpr int exit_busy = 4;
constexpr std::size_t shown_max = 60;

void print(const tp::process& self, const std::string& text) {
  std::printf("  client %s: %s\n", self.self().to_string().c_str(), text.c_str());
  std::fflush(stdout);
}

tp::task<int> file_client(tp::runtime& rt) {
  tp::process& self = rt.owner();
  if (self.arguments().size() < 3) {
    self.log("usage: file_client NAME FILE [leave|hold|PATIENCE_MS]");
    co_return 2;
  }
  const std::string manner = self.arguments().size() > 3 ? self.arguments()[3] : "10000";
  const int patience = std::atoi(manner.c_str());
  auto server = co_await file_service::enter(rt, self.arguments()[1],
                                             std::chrono::milliseconds(patience > 0 ? patience : 10'000));
  if (!server) {
    print(self, server.error().message());
    co_return server.error() == tp::errc::busy ? exit_busy : 1;
  }
  if (manner == "leave") {
    print(self, "leaves before it asks");
    co_return 0;
  }
  if (manner == "hold") {
    print(self, "holds its instance");
    while (std::getchar() != EOF) {
    }
  }
  auto answer = co_await file_service::ask(*server, self.arguments()[2]);
  if (!answer) co_return self.fail(answer.error());
  if (!answer->granted) {
    print(self, answer->text);
    co_return exit_refused;
  }
  const auto& text = answer->text;
  print(self, text.size() > shown_max ? std::to_string(text.size()) + " bytes" : "\"" + text + "\"");
  co_return 0;
}

}  // namespace

int main(int argc, char** argv) {
  return tp::run(argc, argv, [](tp::process& p) { return p.run(file_client); });
}
