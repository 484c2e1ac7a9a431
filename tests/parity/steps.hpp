// Steps of a named case: each is made on both sides, and fails if they differ.
#pragma once

#include <catch2/catch.hpp>
#include <string>

#include "lockstep.hpp"
#include "model_sockets.hpp"

namespace tp::test::parity {

/// The answers are a number, or the name of the error.
class steps {
 public:
  explicit steps(bool charges = reason_to_skip().empty())
      : sides_(std::make_unique<model_sockets>(), charges) {}

  std::string open(int at) { return run({.what = verb::open, .at = at}); }
  std::string pair(int at, int other) { return run({.what = verb::pair, .at = at, .other = other}); }
  std::string limit(int at, std::size_t n) { return run({.what = verb::limit, .at = at, .n = n}); }
  std::string listen(int at, std::size_t n) { return run({.what = verb::listen, .at = at, .n = n}); }
  std::string connect(int at, int to) { return run({.what = verb::connect, .at = at, .other = to}); }
  std::string accept(int at, int into) { return run({.what = verb::accept, .at = at, .other = into}); }
  std::string send(int at, std::size_t n) { return run({.what = verb::send, .at = at, .n = n}); }
  std::string urgent(int at, std::size_t n) { return run({.what = verb::urgent, .at = at, .n = n}); }
  std::string recv(int at, std::size_t n) { return run({.what = verb::recv, .at = at, .n = n}); }
  std::string error(int at) { return run({.what = verb::error, .at = at}); }
  std::string stop_reading(int at) { return run({.what = verb::shutdown, .at = at, .n = 1}); }
  std::string stop_writing(int at) { return run({.what = verb::shutdown, .at = at, .n = 2}); }
  std::string close(int at) { return run({.what = verb::close, .at = at}); }

  /// Sends of n bytes until one fails: how many succeeded; and receives until one fails or has nothing.
  std::size_t fill(int at, std::size_t n) { return calls({.what = verb::fill, .at = at, .n = n}); }
  std::size_t drain(int at, std::size_t n) { return calls({.what = verb::drain, .at = at, .n = n}); }

  [[nodiscard]] std::string poll(int at) const { return to_text_of_poll(sides_.seen(at).poll); }
  [[nodiscard]] std::uint32_t outq(int at) const { return sides_.seen(at).outq; }
  [[nodiscard]] std::uint32_t inq(int at) const { return sides_.seen(at).inq; }
  /// What the last step has told those who wait for it.
  [[nodiscard]] std::string told(int at) const { return to_text_of_poll(sides_.seen(at).told); }

 private:
  outcome both(const operation& o) {
    const outcome said = sides_.run(o);
    if (!sides_.difference().empty()) FAIL(sides_.difference());
    return said;
  }
  std::string run(const operation& o) {
    const outcome said = both(o);
    return said.error == 0 ? std::to_string(said.n) : name_of_error(said.error);
  }
  std::size_t calls(const operation& o) { return both(o).calls; }

  lockstep sides_;
};

}  // namespace tp::test::parity
