// Where there are no simulated threads nothing of theirs overflows.
#include "explorer/stack_overflow.hpp"

namespace tp::sim {

struct overflow_report::alternate_stack {};

overflow_report::overflow_report() = default;
overflow_report::~overflow_report() = default;

}  // namespace tp::sim
