// file_server [--blocking] NAME DIRECTORY CLIENTS: serves files of DIRECTORY under NAME with four workers,
// and ends after so many clients. Each worker is a thread with a runtime of its own, or one that blocks. This
// is all of it but main(), so that tests can run it in a simulated world.
#include "file_server.hpp"

#include <algorithm>
#include <cstdlib>
#include <mutex>
#include <string>
#include <vector>

#include "file_service.hpp"

namespace {

// What the workers share: one line at a time, and the count that ends the server.
class front_desk {
 public:
  front_desk(tp::process& process, tp::endpoint endpoint, int clients)
      : process_(process), lock_(process), endpoint_(std::move(endpoint)), expected_(clients) {}

  void came(const std::string& worker, const std::string& client) {
    const std::lock_guard held(lock_);
    most_ = std::max(most_, ++present_);
    process_.log(worker + ": " + client + " came as number " + std::to_string(present_) + " of " +
                 std::to_string(instances));
  }
  void leaves(const std::string& worker, const std::string& client, const std::string& how) {
    const std::lock_guard held(lock_);
    process_.log(worker + ": " + client + " " + how);
    --present_;
    ++served_;
    if (served_ == expected_) endpoint_.close();
  }
  void close() { endpoint_.close(); }
  void summarise() {
    const std::lock_guard held(lock_);
    process_.log("served " + std::to_string(served_) + " clients, at most " + std::to_string(most_) +
                 " at a time");
  }
  void tell(std::string_view line) { process_.log(line); }

  [[nodiscard]] const tp::endpoint& endpoint() const { return endpoint_; }

 private:
  static inline const std::size_t instances = file_service::server_options().max_instances;

  tp::process& process_;
  tp::mutex lock_;
  tp::endpoint endpoint_;
  const int expected_;
  int present_ = 0, most_ = 0, served_ = 0;  // guarded
};

// A worker's own line to the desk.
class worker_log final : public file_service::observer {
 public:
  worker_log(std::string worker, front_desk& desk, const tp::directory& files)
      : worker_(std::move(worker)), desk_(desk), files_(files) {}

  void came(const std::string& client) override { desk_.came(worker_, client); }
  void leaves(const file_service::served& how) override {
    const std::string file = tp::escape(how.file);
    if (how.file.empty())
      desk_.leaves(worker_, how.client, how.failure.empty() ? "left before it asked" : how.failure);
    else if (how.failure.empty())
      desk_.leaves(worker_, how.client, "was given " + file);
    else
      desk_.leaves(worker_, how.client, "didn't get " + file + ": " + how.failure + own_rights(how.file));
  }
  void hindered(const tp::error& why) override { desk_.tell(why.message()); }

 private:
  // For comparison: what the server itself, not acting for anybody, could read.
  [[nodiscard]] std::string own_rights(const std::string& file) const {
    const auto own = files_.read(file, file_service::file_size_max);
    return own ? "; the server itself reads its " + std::to_string(own->size()) + " bytes"
               : "; nor could the server";
  }

  const std::string worker_;
  front_desk& desk_;
  const tp::directory& files_;
};

tp::task<int> worker(tp::runtime& rt, std::string name, front_desk& desk, const tp::directory& files) {
  worker_log tell(std::move(name), desk, files);
  auto worked = co_await file_service::work(rt, desk.endpoint(), files, tell);
  co_return worked ? 0 : rt.owner().fail(worked.error());
}

int blocking_worker(tp::thread& t, front_desk& desk, const tp::directory& files) {
  worker_log tell(t.name(), desk, files);
  auto worked = file_service::work(t.owner(), desk.endpoint(), files, tell);
  return worked ? 0 : t.owner().fail(worked.error());
}

}  // namespace

int file_server(tp::process& p) {
  std::vector<std::string> arguments = p.arguments();
  const bool blocks = std::erase(arguments, "--blocking") > 0;
  if (arguments.size() != 4) {
    p.log("usage: file_server [--blocking] NAME DIRECTORY CLIENTS");
    return 2;
  }
  auto files = p.files().open_directory(arguments[2]);
  if (!files) return p.fail(files.error());
  auto endpoint = p.bind(arguments[1], file_service::server_options());
  if (!endpoint) return p.fail(endpoint.error());
  p.log("serving " + endpoint->location() + " as " + p.self().to_string());
  front_desk desk(p, std::move(*endpoint), std::atoi(arguments[3].c_str()));
  tp::result<void> started;
  for (int i = 1; i <= 4 && started; ++i) {
    started = p.start_thread("worker " + std::to_string(i), [&](tp::thread& t) {
      if (blocks) return blocking_worker(t, desk, *files);
      return p.run([&](tp::runtime& rt) { return worker(rt, t.name(), desk, *files); });
    });
  }
  // Whatever happened: `desk` and `files` are the workers' until all have ended.
  if (!started) desk.close();
  const int code = p.join();
  desk.summarise();
  return started ? code : p.fail(started.error());
}
