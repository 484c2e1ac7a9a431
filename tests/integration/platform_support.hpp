// What the tests of the real twin share: operations that count their completions, a process with a loop,
// connected streams, child processes under other users, directories.
#pragma once

#include <sys/types.h>
#include <catch2/catch.hpp>

#include <chrono>
#include <cstddef>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "twinpipe/backend.hpp"

namespace tp::test {

using namespace std::chrono_literals;
using backend::start;

/// An operation that counts its completions and can act in them.
template <class Op>
struct counted : Op {
  counted()
      : Op([](backend::op& done) noexcept { static_cast<counted*>(done.context)->completed(); }, nullptr) {
    this->context = this;
  }
  void completed() {
    ++completions;
    if (then) then();
  }
  [[nodiscard]] errc code() const { return this->result.code; }

  int completions = 0;
  std::function<void()> then;
};

/// A read into a buffer of its own.
struct test_read : counted<backend::read_op> {
  explicit test_read(std::size_t size = 64, std::size_t spill_size = 0) : buffer(size), more(spill_size) {
    into = buffer;
    spill = more;
  }
  [[nodiscard]] std::string text() const;

  std::vector<std::byte> buffer, more;
};

/// A write of texts that it keeps.
struct test_write : counted<backend::write_op> {
  explicit test_write(std::vector<std::string> texts);
  explicit test_write(std::string text) : test_write(std::vector<std::string>{std::move(text)}) {}

  std::vector<std::string> texts;
  std::vector<backend::const_buffer> elements;
};

using test_op = counted<backend::op>;
using test_accept = counted<backend::accept_op>;
using test_connect = counted<backend::connect_op>;

/// A directory that is removed with all in it; anybody may enter it unless said otherwise.
class temporary_directory {
 public:
  explicit temporary_directory(mode_t mode = 0755);
  ~temporary_directory();
  temporary_directory(const temporary_directory&) = delete;
  temporary_directory& operator=(const temporary_directory&) = delete;

  [[nodiscard]] const std::string& path() const { return path_; }
  [[nodiscard]] std::string operator/(std::string_view name) const { return path_ + "/" + std::string(name); }
  /// Makes a file; its path.
  std::string file(std::string_view name, std::string_view content, mode_t mode = 0644) const;

 private:
  std::string path_;
};

/// Runs a function at the end of its scope.
class at_exit {
 public:
  explicit at_exit(std::function<void()> function) : function_(std::move(function)) {}
  ~at_exit() { function_(); }
  at_exit(const at_exit&) = delete;
  at_exit& operator=(const at_exit&) = delete;

 private:
  std::function<void()> function_;
};

[[nodiscard]] endpoint_name name_of(std::string_view text);
[[nodiscard]] backend::bind_request request_for(std::string_view name);

/// This process with one loop.
struct rig {
  rig();
  /// Turns until it holds; fails the test if it doesn't within five seconds.
  void turn_until(const std::function<bool()>& holds);
  void finish(backend::op& op) {
    turn_until([&] { return !op.pending(); });
  }
  void turn_once() { static_cast<void>(system->turn(system->now())); }
  /// Starts, and turns until it is complete.
  void run(start answer, backend::op& op) {
    if (answer == start::pending) finish(op);
  }
  [[nodiscard]] backend::stream_ptr attach(backend::detached_ptr stream,
                                           backend::attachment how = backend::attachment::established);
  [[nodiscard]] backend::blocking_stream_ptr attach_blocking(backend::detached_ptr stream);
  [[nodiscard]] std::shared_ptr<backend::bound_name> bind(const backend::bind_request& request);
  [[nodiscard]] backend::acceptor_ptr open(const std::shared_ptr<backend::bound_name>& name);
  /// One attempt; null if it fails.
  [[nodiscard]] backend::detached_ptr connect(std::string_view name, std::string_view directory = {});

  std::unique_ptr<backend::process> process;
  std::unique_ptr<backend::system> system;
};

/// Both ends of one connection over a real name.
struct connection_rig : rig {
  explicit connection_rig(bool client_blocks = false);

  temporary_directory directory;
  backend::stream_ptr server, client;
};

[[nodiscard]] std::string read_some(rig& on, backend::byte_stream& stream, std::size_t size = 64);
[[nodiscard]] errc read_code(rig& on, backend::byte_stream& stream);
[[nodiscard]] errc write_all(rig& on, backend::byte_stream& stream, std::string text);

/// A server that knows nothing of locks; its descriptor.
[[nodiscard]] int plain_socket(const std::string& path, bool listening);

/// A user without an account.
struct user {
  std::uint32_t uid, gid;
  std::vector<std::uint32_t> groups;
};
void become(const user& who);

/// A forked process that runs a function and ends with its result. Two pipes let the sides wait for each
/// other.
class child {
 public:
  class handle {
   public:
    handle(int in, int out) : in_(in), out_(out) {}
    void tell() const;
    void await() const;

   private:
    int in_, out_;
  };
  explicit child(const std::function<int(const handle&)>& body);
  ~child();
  child(const child&) = delete;
  child& operator=(const child&) = delete;

  void tell() const { ours_.tell(); }
  void await() const { ours_.await(); }
  [[nodiscard]] pid_t pid() const { return pid_; }
  /// The exit code, or minus the signal that ended it.
  int wait();

 private:
  handle ours_{-1, -1};
  int descriptors_[2] = {-1, -1};
  pid_t pid_ = -1;
};

[[nodiscard]] bool is_root();
/// From now on this process can open so many more descriptors; for children, which don't need them again.
void allow_more_descriptors(unsigned count);
[[nodiscard]] std::size_t open_descriptors();

}  // namespace tp::test
