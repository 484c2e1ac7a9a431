// What waits for nothing: names, files, handles; and how operations are started.
#include "actor.hpp"

#include <utility>

namespace tp::test::parity::api {

namespace {

endpoint_options options_of(const manner& m, const setting& where, const std::string& folder) {
  endpoint_options o{.mode = m.how == style::message ? transmission::message : transmission::byte};
  o.framed = m.how == style::framed;
  o.direction = m.way;
  if (m.instances > 0) o.max_instances = m.instances;
  o.backlog = m.backlog;
  o.max_message = m.max_message;
  o.max_queued_bytes = m.max_queued;
  o.handshake_timeout = std::chrono::minutes(10);
  o.runtime_directory = folder;
  switch (m.admits) {
    case access_policy::audience::same_user:
      break;
    case access_policy::audience::group:
      o.access = access_policy::group(where.group);
      break;
    case access_policy::audience::users:
      o.access = access_policy::users({where.uids[std::to_underlying(person::alice)]});
      break;
    case access_policy::audience::everyone_local:
      o.access = access_policy::everyone_local();
      break;
  }
  return o;
}

}  // namespace

actor::actor(tp::process& home, const setting& where)
    : home_(home), where_(where), runtime_(std::move(runtime::create(home).value())) {}

// What still waits ends: with cancelled or closed, or because the process was killed.
actor::~actor() {
  halt();
  finish();
  while (group_.size() > 0) runtime_->turn(never);
}

actor::line* actor::find(std::uint16_t op) {
  const auto found = lines_.find(op);
  return found == lines_.end() ? nullptr : &found->second;
}

void actor::halt() {
  for (auto& [op, ours] : stops_) {
    if (ours.what != verb::send) ours.source.request_stop();
  }
}

void actor::finish() {
  lines_.clear();
  served_.clear();
}

void actor::start(const step& s) {
  const bool waits = s.what == verb::accept || s.what == verb::connect || receives(s.what) ||
                     s.what == verb::send || s.what == verb::shutdown || s.what == verb::drain ||
                     s.what == verb::close;
  if (waits) {
    stop& ours = stops_.try_emplace(s.op, stop{.what = s.what}).first->second;
    if (s.bound == limit::stopped) ours.source.request_stop();
    return group_.start(perform(s));
  }
  completion c{.what = s.what, .op = s.op};
  at_once(s, c);
  ended_.push_back(c);
}

void actor::at_once(const step& s, completion& c) {
  line* const on = find(s.at);
  switch (s.what) {
    case verb::bind:
      return bind(s, c);
    case verb::unbind:
      return served_.at(s.at).endpoint.close();
    case verb::look: {
      const endpoint_statistics seen = served_.at(s.at).endpoint.statistics();
      c.n = seen.instances * 1'000'000 + seen.half_open * 10'000 + seen.admitted * 100 + seen.refused;
      return;
    }
    case verb::abort:
      return on->connection.abort();
    case verb::disconnect:
      return on->connection.disconnect();
    case verb::drop:
      lines_.erase(s.at);
      return;
    case verb::read_file:
      return read_file(*on, s, c);
    case verb::stop:
      if (const auto found = stops_.find(s.at); found != stops_.end()) found->second.source.request_stop();
      return;
    case verb::halt:
      return halt();
    default:
      return finish();
  }
}

void actor::bind(const step& s, completion& c) {
  const std::string& folder = where_.folders.at(std::to_underlying(where_.servers.at(s.at)));
  auto bound = home_.bind(where_.names.at(s.at), options_of(s.with, where_, folder));
  if (!bound) {
    c.code = bound.error().code();
    return;
  }
  auto heard = runtime_->listen(*bound);
  if (!heard) {
    c.code = heard.error().code();
    return;
  }
  served_.erase(s.at);
  served_.emplace(s.at, served{.endpoint = std::move(*bound), .listener = std::move(*heard)});
}

void actor::read_file(line& l, const step& s, completion& c) {
  const auto text =
      l.connection.run_as_client([&] { return home_.files().read(where_.files.at(s.n), 4096); });
  if (!text) {
    c.code = text.error().code();
    return;
  }
  c.n = text->size();
  for (const char each : *text) c.data = stirred(c.data, static_cast<std::byte>(each));
}

task<void> actor::perform(step s) {
  completion c{.what = s.what, .op = s.op};
  try {
    c = co_await begun(s);
  } catch (const detail::process_killed&) {
    stops_.erase(s.op);
    co_return;  // by somebody outside of this process, who doesn't ask what became of it
  }
  stops_.erase(s.op);
  c.what = s.what;
  c.op = s.op;
  ended_.push_back(c);
}

}  // namespace tp::test::parity::api
