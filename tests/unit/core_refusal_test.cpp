// Clients that are told no: whatever fails then, they are let go at once, and they are limited in number.
#include <catch2/catch.hpp>
#include <catch2/trompeloeil.hpp>

#include "async/refusal.hpp"
#include "core_rig.hpp"

using namespace tp;
using namespace tp::test;
using namespace std::chrono_literals;

namespace {

void refuse(core_rig& rig, played_stream& stream) {
  detail::refuse_client(*rig.runtime, stream.pointer(), bytes_of("no"));
}

const std::vector<errc> stream_errors = {errc::io_error,     errc::broken_pipe, errc::connection_reset,
                                         errc::no_resources, errc::timed_out,   errc::closed};

}  // namespace

TEST_CASE("a refusal of which a step fails is over at once, whichever step and error, now or later") {
  for (int n = 1; n <= 3; ++n) {  // write, shutdown, read
    for (const errc code : stream_errors) {
      for (const when at : {when::now, when::later}) {
        core_rig rig;
        rig.fails_at(n, code, at);
        played_stream& stream = rig.stream();
        refuse(rig, stream);
        rig.settle();
        CAPTURE(n, to_string(code), rig.failed_call());
        CHECK((rig.calls() == n && stream.released && rig.runtime->lingering_refusals == 0));
        CHECK(stream.written == (n == 1 ? byte_vector{} : bytes_of("no")));
      }
    }
  }
}

TEST_CASE("a refused client is listened to until its end, also where a stream cannot be half-closed") {
  for (const errc half_close : {errc::none, errc::not_supported}) {
    core_rig rig;
    played_stream& stream = rig.stream();
    stream.shutdown_answer.code = half_close;
    refuse(rig, stream);
    stream.feed(bytes_of("but"));
    rig.settle();
    CHECK((stream.written == bytes_of("no") && !stream.released));
    REQUIRE(stream.reading != nullptr);
    CHECK(stream.reading->deadline == rig.system->now() + 1s);
    stream.feed_end();
    rig.settle();
    CHECK(stream.released);
  }
}

TEST_CASE("sixteen refusals linger at a time, and one more is just closed") {
  core_rig rig;
  std::vector<played_stream*> lingering;
  for (int i = 0; i < 16; ++i) refuse(rig, *lingering.emplace_back(&rig.stream()));
  played_stream& one_more = rig.stream();
  refuse(rig, one_more);
  CHECK((one_more.released && one_more.written.empty()));
  CHECK((!lingering.front()->released && rig.runtime->lingering_refusals == 16));
  lingering.front()->feed_end();
  rig.settle();
  played_stream& next = rig.stream();
  refuse(rig, next);
  CHECK((!next.released && next.written == bytes_of("no")));
}

TEST_CASE("a runtime that ends lets go of its refusals, whatever they wait for") {
  for (int step = 0; step < 3; ++step) {
    core_rig rig;
    played_stream& stream = rig.stream();
    if (step == 0) stream.write_rest.at = when::held;
    if (step == 1) stream.shutdown_answer.at = when::held;
    refuse(rig, stream);
    CHECK_FALSE(stream.released);
    rig.runtime.reset();
    CHECK(stream.released);
  }
}
