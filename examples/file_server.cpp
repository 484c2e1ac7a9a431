// file_server NAME DIRECTORY CLIENTS: serves files of DIRECTORY under NAME with four workers, each a thread
// with a runtime of its own, and ends after so many clients.
#include <cstdio>
#include <cstdlib>
#include <functional>
#include <string>

#include "file_service.hpp"

namespace {

// What the workers share: one line at a time, and the count that ends the server.
class front_desk {
 public:
  front_desk(tp::process& process, tp::endpoint endpoint, int clients)
      : lock_(process), endpoint_(std::move(endpoint)), left_(clients) {}

  void report(const std::string& worker, const file_service::served& done) {
    lock_.lock();
    if (done.file.empty() && done.failure.empty()) {
      std::printf("  %s: %s left before it asked\n", worker.c_str(), done.client.c_str());
    } else if (done.failure.empty()) {
      std::printf("  %s: %s was given %s\n", worker.c_str(), done.client.c_str(), done.file.c_str());
    } else {
      std::printf("  %s: %s was refused: %s\n", worker.c_str(), done.client.c_str(), done.failure.c_str());
    }
    std::fflush(stdout);
    const bool last = --left_ == 0;
    lock_.unlock();
    if (last) endpoint_.close();
  }

  [[nodiscard]] const tp::endpoint& endpoint() const { return endpoint_; }

 private:
  tp::mutex lock_;
  tp::endpoint endpoint_;
  int left_;
};

tp::task<int> worker(tp::runtime& rt, const std::string& name, front_desk& desk, const tp::directory& files) {
  const std::function<void(const file_service::served&)> report = [&](const auto& done) {
    desk.report(name, done);
  };
  auto worked = co_await file_service::work(rt, desk.endpoint(), files, report);
  co_return worked ? 0 : rt.owner().fail(worked.error());
}

int file_server(tp::process& p) {
  if (p.arguments().size() != 4) {
    p.log("usage: file_server NAME DIRECTORY CLIENTS");
    return 2;
  }
  auto files = p.files().open_directory(p.arguments()[2]);
  if (!files) return p.fail(files.error());
  auto endpoint = p.bind(p.arguments()[1], file_service::server_options());
  if (!endpoint) return p.fail(endpoint.error());
  std::printf("  serving %s as %s\n", endpoint->location().c_str(), p.self().to_string().c_str());
  std::fflush(stdout);
  front_desk desk(p, std::move(*endpoint), std::atoi(p.arguments()[3].c_str()));
  for (int i = 1; i <= 4; ++i) {
    auto started = p.start_thread("worker " + std::to_string(i), [&](tp::thread& t) {
      return p.run([&](tp::runtime& rt) { return worker(rt, t.name(), desk, *files); });
    });
    if (!started) return p.fail(started.error());
  }
  return p.join();
}

}  // namespace

int main(int argc, char** argv) {
  return tp::run(argc, argv, file_server);
}
