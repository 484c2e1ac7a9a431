// A process, a runtime and its streams on the twin of paper.
#include "core_rig.hpp"

#include <algorithm>
#include <cstring>

#include "async/connection_state.hpp"

namespace tp::test {

using trompeloeil::_;

played_stream::played_stream(paper_system& system, const int& user_calls)
    : system_(system), user_calls_(user_calls) {
  mock.who.uid = {1000, trust::authoritative};
  install();
}

void played_stream::install() {
  const auto keep = [this](std::unique_ptr<trompeloeil::expectation> e) {
    expectations_.push_back(std::move(e));
  };
  keep(NAMED_ALLOW_CALL(mock, read(_)).LR_RETURN(on_read(_1)));
  keep(NAMED_ALLOW_CALL(mock, write(_)).LR_RETURN(on_write(_1)));
  keep(NAMED_ALLOW_CALL(mock, shutdown(_)).LR_RETURN(on_other("shutdown", _1, shutting, shutdown_answer)));
  keep(NAMED_ALLOW_CALL(mock, drain(_)).LR_RETURN(on_other("drain", _1, draining, drain_answer)));
  keep(NAMED_ALLOW_CALL(mock, cancel(_)).LR_SIDE_EFFECT(on_cancel(_1)));
  keep(NAMED_ALLOW_CALL(mock, close()).LR_SIDE_EFFECT(on_close()));
  keep(NAMED_ALLOW_CALL(mock, release()).LR_SIDE_EFFECT(on_release()));
  keep(NAMED_ALLOW_CALL(mock, detach()).LR_RETURN(detacher()));
}

// What has come goes into the operation's memory; what doesn't fit stays.
std::size_t played_stream::deliver(backend::read_op& op) {
  byte_vector& from = reads.front().bytes;
  const std::size_t n = std::min(from.size(), op.into.size() + op.spill.size());
  const std::size_t first = std::min(n, op.into.size());
  std::copy_n(from.begin(), first, op.into.begin());
  std::copy_n(from.begin() + static_cast<std::ptrdiff_t>(first), n - first, op.spill.begin());
  from.erase(from.begin(), from.begin() + static_cast<std::ptrdiff_t>(n));
  if (from.empty() && n > 0) reads.pop_front();
  if (n > 0 && revealed) mock.who = *std::exchange(revealed, std::nullopt);
  return n;
}

std::optional<backend::start> played_stream::fails(std::string_view call, backend::op& op) {
  const errc code = fault(call);
  if (code == errc::none) return std::nullopt;
  if (fault_at == when::now) return op.finish({code, 0});
  op.begin();
  system_.later(op, {code, 0});
  return backend::start::pending;
}

backend::start played_stream::on_read(backend::read_op& op) {
  CHECK(reading == nullptr);
  if (closed) return op.finish({errc::closed, 0});
  if (const auto failed = fails("read", op)) return *failed;
  if (!reads.empty() && reads.front().at == when::now) {
    const errc code = reads.front().code;
    if (op.into.empty() && op.spill.empty()) return op.finish({});
    if (code != errc::none) {
      reads.pop_front();
      return op.finish({code, 0});
    }
    return op.finish({}, deliver(op));
  }
  reading = &op;
  op.begin();
  if (!reads.empty() && reads.front().at == when::later) {
    reads.front().at = when::now;
    const bool waits = op.into.empty() && op.spill.empty();
    const errc code = waits ? errc::none : reads.front().code;
    const std::size_t n = waits || code != errc::none ? 0 : deliver(op);
    if (code != errc::none) reads.pop_front();
    system_.later(*std::exchange(reading, nullptr), {code, 0}, n);
  }
  return backend::start::pending;
}

void played_stream::feed_answer(read_answer more) {
  reads.push_back(std::move(more));
  if (reading == nullptr) return;
  backend::read_op& op = *std::exchange(reading, nullptr);
  const bool waits = op.into.empty() && op.spill.empty();
  const errc code = waits ? errc::none : reads.front().code;
  const std::size_t n = waits || code != errc::none ? 0 : deliver(op);
  if (code != errc::none) reads.pop_front();
  op.complete({code, 0}, n);
}

std::size_t played_stream::accept(const backend::write_op& op, std::size_t most) {
  std::size_t n = 0;
  for (const auto& part : op.buffers) {
    const auto taken = part.first(std::min(part.size(), most - n));
    append(written, taken);
    n += taken.size();
  }
  return n;
}

backend::start played_stream::on_write(backend::write_op& op) {
  CHECK(writing == nullptr);
  if (closed) return op.finish({errc::closed, 0});
  if (const auto failed = fails("write", op)) return *failed;
  answer how = write_rest;
  if (!writes.empty()) {
    how = writes.front();
    writes.pop_front();
  }
  if (how.at == when::now) return op.finish({how.code, 0}, accept(op, how.most));
  op.begin();
  if (how.at == when::later) {
    system_.later(op, {how.code, 0}, accept(op, how.most));
  } else {
    writing = &op;
  }
  return backend::start::pending;
}

void played_stream::finish_write(std::size_t n, errc code) {
  backend::write_op& op = *std::exchange(writing, nullptr);
  op.complete({code, 0}, accept(op, n));
}

backend::start played_stream::on_other(std::string_view call, backend::op& op, backend::op*& slot,
                                       const answer& how) {
  CHECK(slot == nullptr);
  if (closed) return op.finish({errc::closed, 0});
  if (const auto failed = fails(call, op)) return *failed;
  if (how.at == when::now) return op.finish({how.code, 0});
  op.begin();
  if (how.at == when::later) {
    system_.later(op, {how.code, 0});
  } else {
    slot = &op;
  }
  return backend::start::pending;
}

void played_stream::finish(backend::op*& held, errc code) {
  std::exchange(held, nullptr)->complete({code, 0});
}

// The read that is held ends in a later turn: with the bytes that met its end, or without any.
void played_stream::end_read(byte_vector met, errc otherwise) {
  std::size_t n = 0;
  if (!met.empty()) {
    reads.push_front({std::move(met)});
    n = deliver(*reading);
  }
  system_.later(*std::exchange(reading, nullptr), {n > 0 ? errc::none : otherwise, 0}, n);
}

void played_stream::on_cancel(backend::op& op) {
  if (&op == reading) {
    end_read(std::exchange(met_by_cancel, {}), errc::cancelled);
  } else if (&op == writing) {
    const bool wins = cancel_meets_completion;
    const std::size_t n = accept(*writing, wins ? SIZE_MAX : cancelled_write_takes);
    system_.later(*std::exchange(writing, nullptr), {wins ? errc::none : errc::cancelled, 0}, n);
  } else if (&op == draining) {
    system_.later(*std::exchange(draining, nullptr), {errc::cancelled, 0});
  }
}

void played_stream::on_release() {
  if (stale_releases > 0) {
    --stale_releases;
    return;
  }
  on_close();
  released = true;
}

void played_stream::on_close() {
  closed = true;
  if (reading != nullptr) end_read(std::exchange(met_by_close, {}), errc::closed);
  if (writing != nullptr) {
    const bool wins = cancel_meets_completion;
    const std::size_t n = wins ? accept(*writing, SIZE_MAX) : 0;
    system_.later(*std::exchange(writing, nullptr), {wins ? errc::none : errc::closed, 0}, n);
  }
  if (shutting != nullptr) system_.later(*std::exchange(shutting, nullptr), {errc::closed, 0});
  if (draining != nullptr) system_.later(*std::exchange(draining, nullptr), {errc::closed, 0});
}

played_detached::~played_detached() {
  if (stream != nullptr) stream->closed = stream->released = true;
}

core_rig::core_rig() {
  features = {.half_close = true, .drain = true, .exact_write = true, .impersonation = true};
  self.uid = {1000, trust::authoritative};
  const auto keep = [this](std::unique_ptr<trompeloeil::expectation> e) {
    expectations_.push_back(std::move(e));
  };
  keep(NAMED_ALLOW_CALL(twin, features()).LR_RETURN(features));
  keep(NAMED_ALLOW_CALL(twin, self()).LR_RETURN(std::ref(self)));
  keep(NAMED_ALLOW_CALL(twin, threads()).LR_RETURN(std::ref(threads)));
  owner = std::make_unique<process>(twin);
  keep(NAMED_ALLOW_CALL(twin, impersonator()).LR_RETURN(std::ref(impersonator)));
  keep(NAMED_ALLOW_CALL(impersonator, active()).LR_RETURN(impersonating));
  auto made = std::make_unique<paper_system>();
  system = made.get();
  runtime = std::make_unique<detail::runtime_state>(*owner, std::move(made));
}

core_rig::~core_rig() {
  runtime.reset();
  for (const auto& each : streams_) CHECK(each->released);
}

played_stream& core_rig::stream() {
  played_stream& made = *streams_.emplace_back(std::make_unique<played_stream>(*system, user_calls));
  made.fault = [this](std::string_view word) { return next_call(word); };
  made.fault_at = failing_when_;
  return made;
}

void core_rig::fails_at(int n, errc code, when at) {
  calls_ = 0;
  failing_call_ = n;
  failing_code_ = code;
  failing_when_ = at;
}

errc core_rig::next_call(std::string_view word) {
  if (++calls_ != failing_call_) return errc::none;
  failed_call_ = word;
  return failing_code_;
}

connection core_rig::connect(played_stream& over, const core::terms& terms) {
  return connection(detail::connection_state::make(*runtime, over.pointer(), terms, make_text("'test'"),
                                                   detail::instance_slot()));
}

core::terms core_rig::messages(std::size_t max) {
  core::terms made;
  made.mode = transmission::message;
  made.framed = made.app_drain = made.keepalive = true;
  made.max_send = made.max_receive = max;
  made.max_queued = std::size_t{4} << 20;
  return made;
}

core::terms core_rig::plain_bytes() {
  core::terms made;
  made.max_send = made.max_receive = 1 << 20;
  made.max_queued = std::size_t{4} << 20;
  return made;
}

core::terms core_rig::framed_bytes() {
  core::terms made = messages();
  made.mode = transmission::byte;
  return made;
}

void core_rig::settle() {
  for (int turns = 0; turns < 1000 && !system->idle(); ++turns)
    static_cast<void>(runtime->turn(system->now()));
  CHECK(system->idle());
}

void core_rig::pass(duration d) {
  const time_point until = system->now() + d;
  settle();
  while (system->now() < until) {
    static_cast<void>(runtime->turn(until));
    settle();
  }
}

}  // namespace tp::test
