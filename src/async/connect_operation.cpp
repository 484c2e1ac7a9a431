// A client's way from a name to a connection.
#include "async/connect_operation.hpp"

#include <algorithm>
#include <array>
#include <cstring>
#include <utility>

#include "async/connection_state.hpp"
#include "core/contradiction.hpp"
#include "core/negotiation.hpp"
#include "twinpipe/escape.hpp"
#include "twinpipe/process.hpp"

namespace tp::detail {

using reader = wire::hello_reader;

namespace {
constexpr duration backoff_first = std::chrono::milliseconds(2);
constexpr duration backoff_longest = std::chrono::milliseconds(50);
}  // namespace

connect_operation::connect_operation(runtime_state& runtime, std::string_view name,
                                     const connect_options& options)
    : typed_operation(runtime, operation::connect),
      resident(runtime),
      text_(name),
      options_(options),
      runtime_directory_(options.runtime_directory),
      program_(options.program),
      connect_op_(handler<&connect_operation::tried>(), this),
      retry_op_(handler<&connect_operation::try_name>(), this),
      timer_op_(handler<&connect_operation::deadline_passed>(), this),
      write_op_(handler<&connect_operation::wrote_hello>(), this),
      read_op_(handler<&connect_operation::got_reply>(), this),
      reply_(wire::hello_side::from_server),
      backoff_(backoff_first) {
  options_.runtime_directory = runtime_directory_;
  options_.program = program_;
  if (auto parsed = endpoint_name::parse(name)) {
    name_.emplace(std::move(*parsed));
    if (name_->kind() == name_kind::dotnet) options_.profile = profile::raw;
  } else {
    bad_name_ = parsed.error().about(operation::connect, nullptr);
  }
  resident::retain();
  configure();
}

bool connect_operation::start() {
  starting_ = true;
  errc refused = refuse_start();
  if (one_attempt_ && refused == errc::not_while_impersonating) refused = errc::none;
  begin();
  if (bad_name_) {
    finish(*bad_name_);
  } else if (refused != errc::none) {
    fail(refused);
  } else if (const char* reason = core::contradiction(options_, name_->kind())) {
    fail(errc::invalid_argument, 0, reason);
  } else {
    if (!one_attempt_ && name_->kind() == name_kind::plain && runtime_directory_.empty())
      typed_operation::runtime_.owner().tell_unheeded();
    try_name();
  }
  starting_ = false;
  if (!pending()) return true;
  if (deadline() != never) {
    timer_op_.deadline = deadline();
    typed_operation::runtime_.sleep(timer_op_, *this);
  }
  return false;
}

void connect_operation::try_name() {
  if (finished_) return;
  connect_op_.name = &*name_;
  connect_op_.runtime_directory = runtime_directory_;
  connect_op_.level = options_.level;
  connect_op_.expected = options_.expected_server;
  if (system().connect(connect_op_) == backend::start::pending) return resident::retain();
  tried();
}

void connect_operation::tried() {
  if (finished_) return;
  const backend::status status = connect_op_.result;
  last_detail_ = std::move(connect_op_.detail);
  last_circumstance_ = std::exchange(connect_op_.about, circumstance::none);
  if (status.ok()) return connected();
  const bool tries_again =
      status.code == errc::busy || (status.code == errc::not_found && options_.wait_for_server);
  if (tries_again && !one_attempt_) {
    was_held_ = status.code == errc::busy;
    return retry();
  }
  fail(status.code, status.system_cause, where_it_looked());
}

std::string connect_operation::where_it_looked() const {
  return last_detail_ ? *last_detail_ : std::string();
}

// 1 to 50 ms: doubled each time, with a random half so that many clients don't come back together.
void connect_operation::retry() {
  std::array<std::byte, sizeof(std::uint64_t)> bytes;
  typed_operation::runtime_.twin().threads().random(bytes);
  std::uint64_t number = 0;
  std::memcpy(&number, bytes.data(), sizeof number);
  const auto half = static_cast<std::uint64_t>(backoff_.count()) / 2;
  retry_op_.deadline =
      deadline_after(system().now(), duration(static_cast<duration::rep>(half + number % (half + 1))));
  backoff_ = std::min(2 * backoff_, backoff_longest);
  typed_operation::runtime_.sleep(retry_op_, *this);
}

void connect_operation::connected() {
  auto& runtime = typed_operation::runtime_;
  auto detached = std::exchange(connect_op_.stream, nullptr);
  if (!core::trusts(options_.expected_server, detached->peer(), runtime.twin().self())) {
    return fail(errc::untrusted_server, 0, "the server is " + detached->peer().to_string());
  }
  auto attached = system().attach(std::move(detached), attachment_);
  if (!attached) return fail(attached.error().code(), attached.error().system_cause());
  stream_ = std::move(*attached);
  backoff_ = backoff_first;  // there is a server: what fails from now on is another search
  if (options_.profile == profile::native) return shake_hands();
  agree(core::raw_terms(options_.direction, options_.max_queued_bytes, false));
}

void connect_operation::shake_hands() {
  was_held_ = true;
  heard_ = false;
  hello_ = core::make_hello(options_, typed_operation::runtime_.twin().features());
  hello_bytes_ = wire::encode(hello_);
  hello_vector_ = hello_bytes_;
  write_op_.buffers = std::span(&hello_vector_, 1);
  reply_ = reader(wire::hello_side::from_server);
  if (stream_->write(write_op_) == backend::start::pending) return resident::retain();
  wrote_hello();
}

// A refusal may be on its way though the server reads no more, so a failed write isn't the end.
void connect_operation::wrote_hello() {
  if (finished_) return;
  const errc code = write_op_.result.code;
  if (code != errc::none && code != errc::broken_pipe) return fail(code, write_op_.result.system_cause);
  read_reply();
}

void connect_operation::read_reply() {
  for (;;) {
    read_op_.into = reply_.wanted();
    if (stream_->read(read_op_) == backend::start::pending) return resident::retain();
    if (!take_reply()) return;
  }
}

void connect_operation::got_reply() {
  if (!finished_ && take_reply()) read_reply();
}

bool connect_operation::take_reply() {
  const errc code = read_op_.result.code;
  if (code == errc::connection_reset || (code == errc::none && read_op_.n == 0)) return lost_server(), false;
  if (code != errc::none) return fail(code, read_op_.result.system_cause), false;
  heard_ = true;
  switch (reply_.feed(read_op_.n)) {
    case reader::state::wrong:
      return fail(reply_.reason(), 0, reply_.reason_text()), false;
    case reader::state::complete:
      if (reply_.reply().status != wire::reply_status::wait) return decide(), false;
      reply_ = reader(wire::hello_side::from_server);
      break;
    case reader::state::needs_more:
      break;
  }
  return true;
}

void connect_operation::decide() {
  const wire::server_reply& reply = reply_.reply();
  if (const errc refused = core::refusal_code(reply.status); refused != errc::none) {
    if (refused == errc::closing && options_.wait_for_server) return lost_server();
    const std::string reason = reply.extra.reason ? "the server says: " + escape(*reply.extra.reason) : "";
    return fail(refused, 0, reason);
  }
  const auto terms = core::agree(hello_, reply, options_);
  if (!terms) return fail(terms.error());
  agree(*terms);
}

void connect_operation::agree(const core::terms& terms) {
  terms_ = terms;
  finish(std::nullopt);
}

void connect_operation::lost_server() {
  stream_.reset();
  if (!options_.wait_for_server || one_attempt_) return fail(errc::server_gone);
  was_held_ = false;
  retry();
}

void connect_operation::deadline_passed() {
  give_up(was_held_ ? errc::busy : errc::timed_out);
}

void connect_operation::give_up(errc reason) {
  if (finished_) return;
  // A server that never says a word may be one that knows no handshake.
  const bool silent = reason == errc::busy && stream_ != nullptr && !heard_;
  if (silent)
    return fail(reason, 0,
                "the server is silent: all its instances are taken, it accepts nobody yet, or it speaks the "
                "raw profile");
  fail(reason, 0, reason == errc::timed_out || reason == errc::busy ? where_it_looked() : "");
}

void connect_operation::fail(errc code, int system_cause, const std::string& detail) {
  std::string subject = in_quotes(text_);
  if (!detail.empty()) subject += " (" + detail + ")";
  const error failure(code, operation::connect, system_cause, make_text(std::move(subject)));
  finish(failure.in(last_circumstance_));
}

void connect_operation::finish(std::optional<error> failure) {
  finished_ = true;
  failure_ = std::move(failure);
  if (failure_) stream_.reset();
  for (backend::op* each : {static_cast<backend::op*>(&connect_op_), &retry_op_, &timer_op_}) {
    if (each->pending()) system().cancel(*each);
  }
  starting_ ? finish_now() : complete_later();
}

void connect_operation::evict() noexcept {
  if (!finished_ && pending()) give_up(errc::closed);
}

void connect_operation::abandon() noexcept {
  if (outlives_waiter()) return;
  stream_.reset();
  resident::release();
}

result<connection> connect_operation::take() {
  const auto self = ref<connect_operation>::adopt(this);
  retire();
  if (failure_) return std::unexpected(*failure_);
  return connection(connection_state::make(typed_operation::runtime_, std::move(stream_), terms_,
                                           typed_operation::runtime_.subject_of(text_), {}));
}

result<established> connect_operation::take_established() {
  const auto self = ref<connect_operation>::adopt(this);
  retire();
  if (failure_) return std::unexpected(*failure_);
  auto detached = stream_->detach();
  stream_.reset();
  if (!detached) return tp::fail(errc::io_error, operation::connect, 0, make_text(in_quotes(text_)));
  return established{std::move(detached), terms_, make_text(in_quotes(text_)), {}};
}

}  // namespace tp::detail
