// A process and its systems on the Windows twin: turns, wake-ups, files, names that aren't for Windows.
#include <uv.h>
#include <windows.h>

#include <catch2/catch.hpp>
#include <cstdio>
#include <thread>

#include "rig.hpp"

namespace tp::test {
namespace {

using namespace std::chrono_literals;
using backend::turn_result;

TEST_CASE("a turn waits until its limit, a sleep until its deadline") {
  const auto process = a_process();
  const auto system = a_system(*process);
  const time_point limit = system->now() + 20ms;
  CHECK(system->turn(limit) == turn_result::timed_out);
  CHECK(system->now() >= limit);
  an_op sleep;
  sleep.deadline = system->now() + 20ms;
  system->sleep(sleep);
  CHECK(finish(*system, sleep) == errc::none);
  CHECK(system->now() >= sleep.deadline);
}

TEST_CASE("a waker ends another thread's turn, and does nothing after its system is gone") {
  const auto process = a_process();
  auto system = a_system(*process);
  int wakes = 0;
  system->on_wake([](void* count) noexcept { ++*static_cast<int*>(count); }, &wakes);
  const auto waker = system->get_waker();
  std::thread other([waker] { waker->wake(); });
  CHECK(system->turn(system->now() + 10s) == turn_result::progressed);
  other.join();
  CHECK(wakes == 1);
  system.reset();
  waker->wake();
}

TEST_CASE("a system on a program's loop converses there, and leaves the loop clean") {
  uv_loop_t loop{};
  REQUIRE(uv_loop_init(&loop) == 0);
  const auto process = a_process();
  auto system = process->make_system({.wait = wait_strategy::adaptive, .loop = &loop}).value();
  {
    const connected_pair pair = a_pair(*process, *system);
    CHECK(write(*system, *pair.client, "question") == errc::none);
    CHECK(read(*system, *pair.server) == "question");
  }
  CHECK(system->poll_handle().error() == errc::not_supported);
  system.reset();
  uv_run(&loop, UV_RUN_DEFAULT);
  CHECK(uv_loop_close(&loop) == 0);
}

TEST_CASE("a file is read up to the limit that the caller sets") {
  const auto process = a_process();
  const std::string path = "windows_test_file_" + std::to_string(GetCurrentProcessId());
  std::FILE* file = std::fopen(path.c_str(), "wb");
  REQUIRE(file != nullptr);
  std::fputs("contents", file);
  std::fclose(file);
  const auto fits = process->files().read(nullptr, path, 8);
  const auto too_large = process->files().read(nullptr, path, 7);
  const auto all = process->files().read(nullptr, path, unlimited);
  std::remove(path.c_str());
  REQUIRE(fits);
  CHECK(*fits == "contents");
  REQUIRE(all);
  CHECK(*all == *fits);
  REQUIRE_FALSE(too_large);
  CHECK(too_large.error().code() == errc::file_too_large);
}

TEST_CASE("names of other systems and other hosts are refused, and so are names that are too long here") {
  const auto process = a_process();
  const auto code_of = [&](const std::string& text) {
    const auto name = endpoint_name::parse(text);
    REQUIRE(name);
    const auto bound = process->names().bind({.name = *name, .runtime_directory = {}});
    return bound ? errc::none : bound.error().code();
  };
  CHECK(code_of("/run/x.sock") == errc::invalid_name);
  CHECK(code_of("unix-abstract:x") == errc::invalid_name);
  CHECK(code_of(R"(\\host\pipe\x)") == errc::not_supported);
  CHECK(code_of(std::string(200, 'x')) == errc::none);
}

}  // namespace
}  // namespace tp::test
