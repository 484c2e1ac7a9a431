# find_package(twinpipe CONFIG): targets twinpipe::twinpipe (the real twin) and twinpipe::sim (the simulated one).
include(CMakeFindDependencyMacro)
find_dependency(Threads)
find_dependency(PkgConfig)
find_package(Boost 1.74 QUIET COMPONENTS context)  # twinpipe::sim needs it if it was made with it
pkg_check_modules(libuv QUIET IMPORTED_TARGET libuv>=1.44)
if(NOT libuv_FOUND)
  set(twinpipe_FOUND FALSE)
  set(twinpipe_NOT_FOUND_MESSAGE "twinpipe needs libuv, 1.44 or later, found by pkg-config")
  return()
endif()
include(${CMAKE_CURRENT_LIST_DIR}/twinpipe-targets.cmake)
