// Catch2's main program for Windows, where no packaged library has it.
#define CATCH_CONFIG_MAIN
#include <catch2/catch.hpp>
