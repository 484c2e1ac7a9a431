// All ways to wait in one process: a runtime on a loop that the program lends, threads that block, and a
// runtime of its own that may spin, as servers and clients of each other.
#include <string>
#include <utility>

#include "platform_uv_support.hpp"
#include "twinpipe/blocking.hpp"
#include "twinpipe/task_group.hpp"

namespace tp::test {
namespace {

constexpr int questions = 300;
constexpr auto long_enough = 20s;  // whoever waits longer fails, and so lets the others end
constexpr int clients_of_loop = 3;

task<result<void>> answer_one(connection client) {
  tp::buffer question;
  for (;;) {
    auto got = co_await client.receive(question).within(long_enough);
    if (!got) co_return fail(got);
    if (got->end) co_return {};
    if (auto sent = co_await client.send(question.text()).within(long_enough); !sent) co_return fail(sent);
  }
}

task<result<void>> serve_all(runtime& rt, endpoint at, task_group& answers) {
  auto listener = rt.listen(at);
  if (!listener) co_return fail(listener);
  for (int i = 0; i < clients_of_loop; ++i) {
    auto client = co_await listener->accept().within(long_enough);
    if (!client) co_return fail(client);
    answers.start(answer_one(std::move(*client)));
  }
  co_return {};
}

task<result<void>> ask_from_loop(runtime& rt, std::string name, int& answers) {
  auto server = co_await rt.connect(name, {.mode = transmission::message}).within(long_enough);
  if (!server) co_return fail(server);
  tp::buffer answer;
  for (int i = 0; i < questions; ++i) {
    if (auto r = co_await server->send("from a loop").within(long_enough); !r) co_return fail(r);
    if (auto r = co_await server->receive(answer).within(long_enough); !r) co_return fail(r);
    answers += answer.text() == "from a loop" ? 1 : 0;
  }
  co_return {};
}

task<int> ask_from_runtime(runtime& rt, std::string name) {
  int answers = 0;
  const auto asked = co_await ask_from_loop(rt, std::move(name), answers);
  co_return asked&& answers == questions ? 0 : 1;
}

int ask_from_thread(tp::process& self, const std::string& name, const std::string& question) {
  const blocking::limits how{.within = long_enough};
  auto server = blocking::connect(self, name, {.mode = transmission::message}, how);
  if (!server) return self.fail(server.error());
  tp::buffer answer;
  for (int i = 0; i < questions; ++i) {
    if (auto r = server->send(question, how); !r) return self.fail(r.error());
    if (auto r = server->receive(answer, how); !r) return self.fail(r.error());
    if (answer.text() != question) return 2;
  }
  return 0;
}

int answer_from_thread(tp::process& self, const endpoint& at) {
  const blocking::limits how{.within = long_enough};
  auto listener = blocking::listen(self, at);
  if (!listener) return self.fail(listener.error());
  auto client = listener->accept(how);
  if (!client) return self.fail(client.error());
  tp::buffer question;
  for (;;) {
    const auto got = client->receive(question, how);
    if (!got) return self.fail(got.error());
    if (got->end) return 0;
    if (auto r = client->send(question.text(), how); !r) return self.fail(r.error());
  }
}

}  // namespace

TEST_CASE("a loop that was lent, threads that block and an adaptive runtime converse in one process") {
  lent_rig rig;
  const std::string here = rig.directory / "loop", there = rig.directory / "thread";
  const endpoint of_loop = rig.self.bind(here, {.mode = transmission::message}).value();
  const endpoint of_thread = rig.self.bind(there, {.mode = transmission::message}).value();
  task_group tasks;
  int answers = 0;
  tasks.start(serve_all(*rig.runtime, of_loop, tasks));
  tasks.start(ask_from_loop(*rig.runtime, there, answers));

  const auto start = [&](std::string name, std::function<int()> body) {
    REQUIRE(rig.self.start_thread(std::move(name), [body = std::move(body)](thread&) { return body(); }));
  };
  start("one", [&] { return ask_from_thread(rig.self, here, "from a thread"); });
  start("two", [&] { return ask_from_thread(rig.self, here, "from another"); });
  start("three", [&] { return answer_from_thread(rig.self, of_thread); });
  start("four", [&] {
    const auto ask = [&](runtime& rt) { return ask_from_runtime(rt, here); };
    return rig.self.run(ask, {.wait = wait_strategy::adaptive});
  });
  rig.on.run();
  CHECK(rig.self.join() == 0);
  CHECK(tasks.size() == 0);
  CHECK(
      rig.runtime->run([](task_group& all) -> task<result<void>> { co_return co_await all.join(); }(tasks)));
  CHECK(answers == questions);
}

}  // namespace tp::test
