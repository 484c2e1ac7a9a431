// Errors as text: the operations' verbs, and the sentence made of verb, subject, explanation and remedy.
#include "twinpipe/error.hpp"

#include <array>
#include <cstddef>
#include <system_error>

#include "explanation.hpp"
#include "twinpipe/escape.hpp"

namespace tp {
namespace {

struct verb {
  operation op;
  std::string_view name;
  std::string_view before_subject;
};

constexpr std::array verbs{
    verb{operation::none, "operation", "operation on "},
    verb{operation::bind, "bind", "bind "},
    verb{operation::listen, "listen", "listen on "},
    verb{operation::accept, "accept", "accept on "},
    verb{operation::connect, "connect", "connect to "},
    verb{operation::send, "send", "send to "},
    verb{operation::receive, "receive", "receive from "},
    verb{operation::shutdown, "shutdown", "shutdown of "},
    verb{operation::drain, "drain", "drain of "},
    verb{operation::close, "close", "close of "},
    verb{operation::run_as_client, "run_as_client", "run_as_client for "},
    verb{operation::read_file, "read the file", "read the file "},
    verb{operation::open_directory, "open the directory", "open the directory "},
    verb{operation::start_thread, "start the thread", "start the thread "},
    verb{operation::start_runtime, "start a runtime", "start a runtime for "},
    verb{operation::poll_handle, "poll_handle", "poll_handle of "},
    verb{operation::sleep, "sleep", "sleep in "},
};

constexpr bool in_order_of_operations() {
  for (std::size_t i = 0; i != verbs.size(); ++i)
    if (verbs[i].op != static_cast<operation>(i)) return false;
  return verbs.back().op == operation::sleep;
}
static_assert(in_order_of_operations());

const verb& of(operation op) noexcept {
  return verbs[static_cast<std::size_t>(op)];
}

// Subjects are escaped by whoever makes them; what slipped through must still not reach a terminal.
std::string printable(std::string_view text) {
  std::string out;
  for (const char& c : text) {
    if (c >= ' ' && c <= '~')
      out += c;
    else
      out += escape(std::string_view(&c, 1));
  }
  return out;
}

// A name or path is put between quotes; several words or quotes of its own make it a remark on the
// explanation.
bool is_remark(std::string_view subject) {
  return subject.find_first_of(" '") != std::string_view::npos;
}

std::string cause_text(int number) {
  const std::string text = std::system_category().message(number);
  // The two categories differ where the system counts its errors apart from errno: Windows.
  const bool is_errno = text == std::generic_category().message(number);
  return (is_errno ? " (errno " : " (system error ") + std::to_string(number) + ": " + text + ")";
}

}  // namespace

std::string_view to_string(operation op) noexcept {
  return of(op).name;
}

shared_text make_text(std::string text) {
  return std::make_shared<const std::string>(std::move(text));
}

std::string error::message() const {
  const detail::explanation reason = detail::explain(code_, operation_, circumstance_);
  if (code_ == errc::none) return std::string(reason.why);
  const std::string about_what = printable(subject());
  const bool remark = is_remark(about_what);

  std::string out;
  if (about_what.empty() || remark) {
    if (operation_ != operation::none) out.append(of(operation_).name).append(" failed: ");
  } else {
    out.append(of(operation_).before_subject).append("'").append(about_what).append("' failed: ");
  }
  out += reason.why;
  if (system_cause_ != 0) out += cause_text(system_cause_);
  if (remark) out.append(": ").append(about_what);
  return out.append("; ").append(reason.remedy);
}

error error::about(operation op, const shared_text& subject) const {
  error more = *this;
  if (operation_ == operation::none) more.operation_ = op;
  if (!subject_ || subject_->empty()) more.subject_ = subject;
  return more;
}

error error::in(circumstance what) const {
  error more = *this;
  more.circumstance_ = what;
  return more;
}

}  // namespace tp
