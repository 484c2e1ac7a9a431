// What test programs precompile: the test frameworks and the usual standard headers.
#include <catch2/catch.hpp>
#include <catch2/trompeloeil.hpp>

#include "../../cmake/standard_headers.hxx"
