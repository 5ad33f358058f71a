# Installed: the library with its headers, the C library, the program, its worker and man pages; found by
# find_package(modelseal), with component c for the C library alone, and by pkg-config.
include(CMakePackageConfigHelpers)

install(TARGETS modelseal EXPORT modelsealTargets ARCHIVE DESTINATION ${CMAKE_INSTALL_LIBDIR}
                                                  LIBRARY DESTINATION ${CMAKE_INSTALL_LIBDIR})
install(TARGETS modelseal_c EXPORT modelsealCTargets LIBRARY DESTINATION ${CMAKE_INSTALL_LIBDIR})
if(SKBUILD)  # pyproject.toml: next to the Python module
    install(TARGETS modelseal_c LIBRARY DESTINATION modelseal NAMELINK_SKIP COMPONENT python)
endif()
install(TARGETS modelseal_program RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR})
if(MODELSEAL_TORCH)
    install(TARGETS modelseal_worker RUNTIME DESTINATION ${CMAKE_INSTALL_LIBEXECDIR}/modelseal)
endif()
if(MODELSEAL_CUDA_MODULE)
    install(FILES ${MODELSEAL_CUDA_MODULE} DESTINATION ${CMAKE_INSTALL_LIBEXECDIR}/modelseal)
endif()
install(DIRECTORY include/modelseal DESTINATION ${CMAKE_INSTALL_INCLUDEDIR})
foreach(section 1 3 5 7)
    file(GLOB pages ${PROJECT_SOURCE_DIR}/man/*.${section})
    install(FILES ${pages} DESTINATION ${CMAKE_INSTALL_MANDIR}/man${section})
endforeach()

set(config_folder ${CMAKE_INSTALL_LIBDIR}/cmake/modelseal)
install(EXPORT modelsealTargets NAMESPACE modelseal:: DESTINATION ${config_folder})
install(EXPORT modelsealCTargets NAMESPACE modelseal:: DESTINATION ${config_folder})
configure_package_config_file(src/cmake/modelsealConfig.cmake.in modelsealConfig.cmake INSTALL_DESTINATION ${config_folder})
write_basic_package_version_file(modelsealConfigVersion.cmake COMPATIBILITY SameMajorVersion)
install(FILES ${PROJECT_BINARY_DIR}/modelsealConfig.cmake ${PROJECT_BINARY_DIR}/modelsealConfigVersion.cmake
        DESTINATION ${config_folder})
if(P11_FOUND)
    set(pc_libp11 " libp11")
endif()
configure_file(src/cmake/modelseal.pc.in modelseal.pc @ONLY)
configure_file(src/cmake/modelseal-c.pc.in modelseal-c.pc @ONLY)
install(FILES ${PROJECT_BINARY_DIR}/modelseal.pc ${PROJECT_BINARY_DIR}/modelseal-c.pc DESTINATION ${CMAKE_INSTALL_LIBDIR}/pkgconfig)
