// Parties of conformance cases.
#include "conformance/party.hpp"

#include <exception>

#include "conformance/host.hpp"
#include "conformance/twin.hpp"
#include "support/faulty_backend.hpp"

namespace tp::conformance {

tp::process& host::self() {
  world_.lock_->lock();
  if (!self_) {
    twin_ = test::make_faulty(world_.twin_.make_process(who_), world_.ledger_);
    self_ = std::make_unique<tp::process>(*twin_);
  }
  world_.lock_->unlock();
  return *self_;
}

party::party(world& in, host& process, std::string label, world::body body)
    : world_(in), host_(process), label_(std::move(label)), body_(std::move(body)) {}
party::~party() = default;

tp::process& party::self() noexcept {
  return runtime_->owner();
}
tp::process& party::home() {
  return host_.self();
}
user party::who() const noexcept {
  return host_.who();
}

duration party::patience() const noexcept {
  // Under faults no deadline covers up an operation that would never end: whoever fails ends the world, so
  // what is left then hangs.
  return world_.has_fault() ? duration::max() : std::chrono::seconds(10);
}

void party::begin() {
  try {
    runtime_ = value(runtime::create(host_.self()));
    group_.start(guarded());
  } catch (const unwound&) {
    end();
  }
}

task<void> party::guarded() {
  try {
    co_await body_(*this);
  } catch (const unwound&) {
    world_.note_failure(at_, label_ + " ended early");
  } catch (const std::exception& thrown) {
    world_.note_failure(at_, label_ + " threw: " + thrown.what());
  }
  end();
}

void party::finish() {
  runtime_.reset();
}

void party::end() {
  world_.lock_->lock();
  ended_ = true;
  world_.lock_->unlock();
}

bool party::ended() const {
  world_.lock_->lock();
  const bool now = ended_;
  world_.lock_->unlock();
  return now;
}

void party::note(const location& at) {
  world_.lock_->lock();
  at_ = at;
  world_.lock_->unlock();
}

std::string party::doing() const {
  world_.lock_->lock();
  const location at = at_;
  world_.lock_->unlock();
  const std::string path = at.file_name();
  return label_ + " waits at " + path.substr(path.rfind('/') + 1) + ":" + std::to_string(at.line());
}

task<void> party::sleep(duration d, location at) {
  note(at);
  value(co_await rt().sleep(d).unless(stop()), at);
}

task<void> party::beside(task<void> one, task<void> other) {
  task_group both;
  both.start(std::move(one));
  both.start(std::move(other));
  value(co_await both.join());
}

result<endpoint> party::try_bind(std::string_view name, endpoint_options options) {
  if (options.runtime_directory.empty()) options.runtime_directory = world_.directory(who());
  if (world_.has_fault() && options.handshake_timeout == endpoint_options{}.handshake_timeout) {
    options.handshake_timeout = std::chrono::milliseconds(100);
  }
  return self().bind(name, std::move(options));
}

awaitable<result<connection>> party::attempt(std::string_view name, connect_options options) {
  if (options.runtime_directory.empty()) options.runtime_directory = world_.directory();
  return connect_on(rt(), name, options);
}

awaitable<result<connection>> party::search(std::string_view name) {
  return connect_on(rt(), name, {});
}

endpoint party::bind(std::string_view name, endpoint_options options, location at) {
  return value(try_bind(name, std::move(options)), at);
}

listener party::listen(const endpoint& served, location at) {
  return value(try_listen(served), at);
}

service party::serve(flag& ready, std::string_view name, const endpoint_options& options, location at) {
  endpoint served = bind(name, options, at);
  listener door = listen(served, at);
  ready.set();
  return {std::move(served), std::move(door)};
}

task<connection> party::accept(listener& door, location at) {
  co_return value(co_await bounded(door.accept(), at), at);
}

task<connection> party::connect(std::string_view name, connect_options options, location at) {
  co_return value(co_await try_connect(name, options, at), at);
}

task<connection> party::raw_client(std::string_view name, location at) {
  const connect_options plain{.profile = profile::raw, .expected_server = server_trust::anyone};
  co_return value(co_await try_connect(name, plain, at), at);
}

task<void> party::send(connection& to, std::string_view text, location at) {
  const std::size_t sent = value<std::size_t>(co_await bounded(to.send(text), at), at);
  if (sent != text.size()) fail(at, "sent " + std::to_string(sent) + " of " + std::to_string(text.size()));
}

task<void> party::send_if_heard(connection& to, std::string_view text, location at) {
  const result<void> sent = co_await bounded(to.send(text), at);
  if (!sent && sent.error() != errc::broken_pipe) value(sent, at);
}

task<std::string> party::receive(connection& from, location at) {
  buffer into;
  const received got = value(co_await bounded(from.receive(into), at), at);
  if (got.end) fail(at, "the end came where data was expected");
  if (!got.complete) fail(at, "part of a message came where a whole one was expected");
  co_return std::string(into.text());
}

task<void> party::hear(connection& from, std::string_view words, location at) {
  std::string begun = co_await receive(from, at);
  co_await hear_on(from, std::move(begun), words, at);
}

task<void> party::hear_on(connection& from, std::string heard, std::string_view words, location at) {
  while (from.mode() == transmission::byte && heard.size() < words.size())
    heard += co_await receive(from, at);
  if (heard == words) co_return;
  std::string what = "expected '";
  fail(at, what.append(words).append("', received '").append(heard).append("'"));
}

task<std::string> party::receive_bytes(connection& from, std::size_t count, location at) {
  std::string all(count, '\0');
  for (std::size_t have = 0; have < count;) {
    const auto rest = std::as_writable_bytes(std::span(all)).subspan(have);
    const received got = value(co_await bounded(from.receive(rest), at), at);
    if (got.end)
      fail(at, "the end came after " + std::to_string(have) + " of " + std::to_string(count) + " bytes");
    have += got.bytes;
  }
  co_return all;
}

task<received> party::receive_end(connection& from, location at) {
  buffer into;
  const received got = value(co_await bounded(from.receive(into), at), at);
  if (!got.end) fail(at, "data came where the end was expected: " + std::string(into.text().substr(0, 40)));
  co_return got;
}

}  // namespace tp::conformance
