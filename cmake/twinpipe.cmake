# How every target of twinpipe is built: the language, and a developer's warnings.

# Consumers who add this directory to their project never see the options and get the library alone.
if(PROJECT_IS_TOP_LEVEL)
  option(TWINPIPE_DEVELOP "Build tests and examples" OFF)
  option(TWINPIPE_EXAMPLES "Build the examples" OFF)
  option(TWINPIPE_WARNINGS "A developer's warnings, as errors" ${TWINPIPE_DEVELOP})
else()
  set(TWINPIPE_DEVELOP OFF)
  set(TWINPIPE_EXAMPLES OFF)
  set(TWINPIPE_WARNINGS OFF)
endif()

function(twinpipe_target target)
  target_compile_features(${target} PUBLIC cxx_std_23)
  set_target_properties(${target} PROPERTIES CXX_EXTENSIONS OFF)
  if(TWINPIPE_WARNINGS)
    # Sources that are compiled a dozen at a time may shadow what isn't theirs.
    target_compile_options(${target} PRIVATE
      -Wall -Wextra -Wpedantic $<$<NOT:$<BOOL:${CMAKE_UNITY_BUILD}>>:-Wshadow> -Wconversion -Werror)
  endif()
endfunction()
