// What is said about bytes that were lost, or came from nowhere.
#include "byte_account.hpp"

#include "text.hpp"

namespace tp::sim {

std::string byte_account::to_string(std::uint32_t connection, std::size_t unread, bool closes) const {
  return join("connection ", connection, ": ", accepted, " bytes accepted, ", delivered, " delivered, ",
              unread, closes ? " discarded" : " unread");
}

}  // namespace tp::sim
