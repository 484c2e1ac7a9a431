# What only developers build: test programs. Headers that many sources share are precompiled; not for Windows,
# where sources define what changes the meaning of its headers.

if(NOT WIN32)
  target_precompile_headers(twinpipe_core PRIVATE ${PROJECT_SOURCE_DIR}/cmake/standard_headers.hxx)
  target_precompile_headers(twinpipe REUSE_FROM twinpipe_core)
  target_precompile_headers(twinpipe_sim REUSE_FROM twinpipe_core)
endif()

# What a preset wants of test sources beyond the flags of all.
set(TWINPIPE_TEST_OPTIONS "" CACHE STRING "Further compiler options of test sources")
mark_as_advanced(TWINPIPE_TEST_OPTIONS)

# twinpipe_test_objects(name SOURCES file... [LIBRARIES target...])
# Sources of tests, compiled once for several programs. They may include any header of src/ and tests/.
function(twinpipe_test_objects name)
  cmake_parse_arguments(PARSE_ARGV 1 arg "" "" "SOURCES;LIBRARIES")
  add_library(${name} OBJECT ${arg_SOURCES})
  twinpipe_test_target(${name} ${arg_LIBRARIES})
endfunction()

# twinpipe_test(name SOURCES file... [LIBRARIES target...] [LABELS label...] [TIMEOUT seconds])
# One Catch2 program, run by ctest as one test.
function(twinpipe_test name)
  cmake_parse_arguments(PARSE_ARGV 1 arg "" "TIMEOUT" "SOURCES;LIBRARIES;LABELS")
  if(NOT arg_TIMEOUT)
    set(arg_TIMEOUT 120)
  endif()
  add_executable(${name} ${arg_SOURCES})
  twinpipe_test_target(${name} ${arg_LIBRARIES})
  add_test(NAME ${name} COMMAND ${name})
  # A test that may take long starts first, or it runs on alone in the end.
  set_tests_properties(${name} PROPERTIES TIMEOUT ${arg_TIMEOUT} COST ${arg_TIMEOUT} LABELS "${arg_LABELS}")
endfunction()

# twinpipe_real_stacks(test...)
# Under the address sanitizer these keep their frames on the fibers' own stacks: a fake stack for each of many thousand
# fibers takes a third of the time. What they run of the core has fake stacks in the programs on real pipes, and the
# simulator has them in sim_tests.
function(twinpipe_real_stacks)
  set_tests_properties(${ARGN} PROPERTIES
    ENVIRONMENT_MODIFICATION "ASAN_OPTIONS=string_append::detect_stack_use_after_return=0")
endfunction()

function(twinpipe_test_target name)
  target_link_libraries(${name} PRIVATE ${ARGN} twinpipe_test_main)
  twinpipe_target(${name})
  target_compile_options(${name} PRIVATE ${TWINPIPE_TEST_OPTIONS})
  if(NOT WIN32)
    target_precompile_headers(${name} REUSE_FROM twinpipe_test_main)
  endif()
endfunction()
