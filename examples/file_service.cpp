// What both forms of the classic named-pipe service have in common.
#include "file_service.hpp"

namespace file_service {

tp::endpoint_options server_options() {
  tp::endpoint_options options;
  options.mode = tp::transmission::message;
  options.max_instances = 4;
  options.access = tp::access_policy::everyone_local();
  return options;
}

tp::connect_options client_options() {
  return {.mode = tp::transmission::message,
          .level = tp::impersonation_level::impersonation,
          .wait_for_server = true,
          .program = "file_client"};
}

// A client needs no more of the reason than this. It chose the name, so the name is made safe to show.
std::string reply_with(const tp::result<std::string>& text, served& how) {
  if (text) return "+" + *text;
  const tp::error& why = text.error();
  how.failure = why == tp::errc::access_denied ? "access denied: " + tp::escape(how.file) : why.message();
  return "-" + how.failure;
}

answer answer_in(const tp::buffer& reply) {
  return {.granted = reply.text().front() == '+', .text = std::string(reply.text().substr(1))};
}

}  // namespace file_service
