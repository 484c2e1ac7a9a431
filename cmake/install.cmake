# What an installation holds: headers, static libraries, the CMake package and the pkg-config files.
include(GNUInstallDirs)
include(CMakePackageConfigHelpers)

set_target_properties(twinpipe_core PROPERTIES EXPORT_NAME core)
set_target_properties(twinpipe_sim PROPERTIES EXPORT_NAME sim)

install(TARGETS twinpipe_core twinpipe twinpipe_sim EXPORT twinpipe INCLUDES DESTINATION ${CMAKE_INSTALL_INCLUDEDIR})
install(DIRECTORY include/twinpipe DESTINATION ${CMAKE_INSTALL_INCLUDEDIR} FILES_MATCHING PATTERN "*.hpp")

set(package_dir ${CMAKE_INSTALL_LIBDIR}/cmake/twinpipe)
install(EXPORT twinpipe NAMESPACE twinpipe:: DESTINATION ${package_dir} FILE twinpipe-targets.cmake)
write_basic_package_version_file(twinpipe-config-version.cmake COMPATIBILITY SameMinorVersion)
configure_file(cmake/twinpipe-config.cmake twinpipe-config.cmake COPYONLY)
install(FILES ${PROJECT_BINARY_DIR}/twinpipe-config.cmake ${PROJECT_BINARY_DIR}/twinpipe-config-version.cmake
        DESTINATION ${package_dir})

# pkg-config's files find the rest from where they are, so an installation can be moved.
file(RELATIVE_PATH pc_prefix /prefix/${CMAKE_INSTALL_LIBDIR}/pkgconfig /prefix)
if(twinpipe_sim_threads)
  set(twinpipe_sim_libs -lboost_context)
endif()
configure_file(cmake/twinpipe.pc.in twinpipe.pc @ONLY)
configure_file(cmake/twinpipe-sim.pc.in twinpipe-sim.pc @ONLY)
install(FILES ${PROJECT_BINARY_DIR}/twinpipe.pc ${PROJECT_BINARY_DIR}/twinpipe-sim.pc
        DESTINATION ${CMAKE_INSTALL_LIBDIR}/pkgconfig)
