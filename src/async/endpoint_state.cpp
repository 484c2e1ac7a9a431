// What the threads that serve one endpoint share.
#include "async/endpoint_state.hpp"

#include <algorithm>
#include <utility>

#include "async/mutex_guard.hpp"
#include "twinpipe/detail/lost.hpp"
#include "twinpipe/escape.hpp"

namespace tp::detail {

void instance_slot::release() noexcept {
  if (auto endpoint = std::exchange(endpoint_, nullptr)) endpoint->release_slot();
}

void instance_slot::note_admission() const {
  if (endpoint_) endpoint_->count_admitted();
}

endpoint_state::endpoint_state(endpoint_options options, std::string name,
                               std::shared_ptr<backend::bound_name> bound,
                               std::unique_ptr<backend::mutex> lock, std::shared_ptr<withdrawals> leaving)
    : options_(std::move(options)),
      name_(std::move(name)),
      subject_(make_text(in_quotes(name_))),
      bound_(std::move(bound)),
      lock_(std::move(lock)),
      leaving_(std::move(leaving)),
      instances_(options_.max_instances) {}

// Who has a slot has the state.
endpoint_state::~endpoint_state() {
  if (instances_.used() == 0) return;
  if (const auto told = when_instances_are_lost.load(std::memory_order_relaxed))
    told(name_, instances_.used());
}

endpoint_statistics endpoint_state::statistics() const {
  const mutex_guard held(*lock_);
  endpoint_statistics now = counts_;
  now.instances = instances_.used();
  return now;
}

std::uint64_t endpoint_state::next_connection_id() noexcept {
  const mutex_guard held(*lock_);
  return ++last_id_;
}

bool endpoint_state::enrol(listener_ticket& ticket) {
  const mutex_guard held(*lock_);
  if (closed_) return false;
  tickets_.push_back(&ticket);
  return true;
}

void endpoint_state::attend(listener_ticket& ticket, bool yes) {
  std::list<parked_peer> dropped;  // destroyed outside the lock
  const mutex_guard held(*lock_);
  ticket.attended = yes;
  if (closed_ && unattended()) abandon_parked(dropped);
}

bool endpoint_state::unattended() const noexcept {
  return std::ranges::none_of(tickets_, [](const listener_ticket* each) { return each->attended; });
}

// Of a closed endpoint the last listener takes the parked clients with it: nobody is left who could read
// mail.
void endpoint_state::strike(listener_ticket& ticket) noexcept {
  std::list<parked_peer> dropped;
  {
    const mutex_guard held(*lock_);
    std::erase(tickets_, &ticket);
    std::erase(line_, &ticket);
    ticket.watching = false;
    if (std::exchange(ticket.granted, false)) {
      instances_.give_back();
      grant_next();
    }
    if (closed_ && unattended()) abandon_parked(dropped);
  }
  ticket.box->retract(ticket);
}

endpoint_state::answer endpoint_state::request_slot(listener_ticket& ticket) {
  const mutex_guard held(*lock_);
  if (closed_) return answer::closed;
  if (line_.empty() && instances_.try_take()) {
    ticket.watching = true;
    return answer::now;
  }
  line_.push_back(&ticket);
  return answer::later;
}

bool endpoint_state::fetch_grant(listener_ticket& ticket) {
  const mutex_guard held(*lock_);
  if (!std::exchange(ticket.granted, false)) return false;
  ticket.watching = true;
  return true;
}

void endpoint_state::cancel_request(listener_ticket& ticket) {
  const mutex_guard held(*lock_);
  std::erase(line_, &ticket);
  if (std::exchange(ticket.granted, false)) {
    instances_.give_back();
    grant_next();
  }
}

void endpoint_state::release_slot() {
  const mutex_guard held(*lock_);
  instances_.give_back();
  grant_next();
}

void endpoint_state::grant_next() {
  while (!line_.empty() && instances_.try_take()) {
    listener_ticket& next = *line_.front();
    line_.pop_front();
    next.granted = true;
    notify(next);
  }
}

void endpoint_state::notify(listener_ticket& ticket) {
  ticket.box->post(ticket);
}

void endpoint_state::stop_watching(listener_ticket& ticket) {
  const mutex_guard held(*lock_);
  ticket.watching = false;
}

bool endpoint_state::closed() const {
  const mutex_guard held(*lock_);
  return closed_;
}

std::optional<parked_peer> endpoint_state::park(parked_peer peer) {
  const mutex_guard held(*lock_);
  if (closed_) return peer;
  parked_.push_back(std::move(peer));
  for (listener_ticket* each : tickets_) {
    if (each->watching) notify(*each);
  }
  return std::nullopt;
}

// For the caller to destroy outside the lock.
void endpoint_state::abandon_parked(std::list<parked_peer>& into) noexcept {
  counts_.half_open -= parked_.size();
  parked_.swap(into);
}

std::optional<parked_peer> endpoint_state::adopt() {
  const mutex_guard held(*lock_);
  if (parked_.empty()) return std::nullopt;
  std::optional<parked_peer> oldest(std::move(parked_.front()));
  parked_.pop_front();
  return oldest;
}

endpoint_state::half_open_admission endpoint_state::enter_half_open() {
  const mutex_guard held(*lock_);
  half_open_admission made;
  if (++counts_.half_open <= options_.max_half_open) return made;
  made.too_many = true;
  if (parked_.empty()) return made;
  made.shed.emplace(std::move(parked_.front()));
  parked_.pop_front();
  --counts_.half_open;
  ++counts_.shed;
  return made;
}

void endpoint_state::leave_half_open() {
  const mutex_guard held(*lock_);
  --counts_.half_open;
}

void endpoint_state::count_admitted() {
  const mutex_guard held(*lock_);
  ++counts_.admitted;
}

void endpoint_state::count_refused() {
  const mutex_guard held(*lock_);
  ++counts_.refused;
}

void endpoint_state::count_shed() {
  const mutex_guard held(*lock_);
  ++counts_.shed;
}

// Parked clients are refused by whichever listener hears of it first; if none will they are dropped.
void endpoint_state::close() {
  std::list<parked_peer> dropped;
  {
    const mutex_guard held(*lock_);
    if (std::exchange(closed_, true)) return;
    line_.clear();
    if (unattended()) abandon_parked(dropped);
    for (listener_ticket* each : tickets_) notify(*each);
  }
  leaving_->withdraw(bound_);
}

}  // namespace tp::detail
