# Developers' builds go through ccache if it is there, unless another launcher was asked for.

find_program(TWINPIPE_CCACHE ccache)
mark_as_advanced(TWINPIPE_CCACHE)
if(TWINPIPE_CCACHE AND NOT CMAKE_CXX_COMPILER_LAUNCHER)
  # The manual's section on precompiled headers asks for this sloppiness.
  set(CMAKE_CXX_COMPILER_LAUNCHER
      ${CMAKE_COMMAND} -E env CCACHE_SLOPPINESS=pch_defines,time_macros ${TWINPIPE_CCACHE})
endif()
