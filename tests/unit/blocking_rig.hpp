// A blocking connection over a stream of paper. Where a thread would wait, the test says what happens
// meanwhile: what other threads call, what the peer does; else the time passes.
#pragma once

#include <deque>
#include <functional>
#include <string>

#include "blocking/connection_state.hpp"
#include "core_rig.hpp"

namespace tp::test {

/// The moments in which a thread waits, one after the other.
class idle_moments {
 public:
  explicit idle_moments(paper_threads& threads) : threads_(threads) {}
  void then(std::function<void()> what) { next_.push_back(std::move(what)); }
  /// False: the deadline has come. A wait that nothing can end fails the test.
  [[nodiscard]] bool pass(time_point deadline);
  [[nodiscard]] bool used_up() const { return next_.empty(); }

 private:
  paper_threads& threads_;
  std::deque<std::function<void()>> next_;
};

class paper_pipe final : public backend::blocking_stream {
 public:
  explicit paper_pipe(idle_moments& meanwhile) : meanwhile_(meanwhile) {}

  std::deque<read_answer> reads;
  std::size_t room = SIZE_MAX;  ///< so many bytes go before a write has to wait
  errc write_error = errc::none;
  bool drained = true;
  byte_vector written;
  bool closed = false;
  int questions = 0;  ///< calls of wait

  void feed(byte_vector bytes) { reads.push_back({std::move(bytes)}); }

  backend::start read(backend::read_op& op) override;
  backend::start write(backend::write_op& op) override;
  backend::start shutdown(backend::op& op) override { return op.finish({}); }
  backend::start drain(backend::drain_op& op) override;
  void cancel(backend::op&) noexcept override {}
  void close() noexcept override { closed = true; }
  void release() noexcept override { closed = true; }
  backend::detached_ptr detach() noexcept override { return nullptr; }
  [[nodiscard]] const identity& peer() const noexcept override { return who_; }
  backend::status wait(backend::readiness what, time_point deadline, backend::interrupt* until) override;

 private:
  idle_moments& meanwhile_;
  identity who_;
};

struct blocking_rig : core_rig {
  explicit blocking_rig(const core::terms& terms);

  idle_moments meanwhile{threads};
  paper_pipe pipe{meanwhile};
  bool without_descriptors = false;  ///< no interrupt can be made
  std::unique_ptr<detail::blocking_connection_state> connection;

  result<received> receive(buffer& into, const blocking::limits& how = {}) {
    return connection->call<detail::receive_operation>(how, into);
  }
  send_result send(std::string_view text, const blocking::limits& how = {}) {
    return connection->send(std::as_bytes(std::span(text)), how);
  }
  result<void> drain(const blocking::limits& how = {}) {
    return connection->call<detail::drain_operation>(how);
  }
  result<delivery> close(const blocking::limits& how = {}) {
    return connection->call<detail::close_operation>(how);
  }

 private:
  std::deque<std::unique_ptr<trompeloeil::expectation>> expected_;
};

/// What whole_messages says if there is this one only.
[[nodiscard]] inline std::vector<byte_vector> one_message(std::string_view text) {
  return std::vector<byte_vector>(1, bytes_of(text));
}

}  // namespace tp::test
