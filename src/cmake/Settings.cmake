# Language, warnings, sanitizers and switches, as targets that a line gives to whoever wants them.
include(GNUInstallDirs)

if(NOT CMAKE_BUILD_TYPE AND NOT CMAKE_CONFIGURATION_TYPES)
    set(CMAKE_BUILD_TYPE RelWithDebInfo CACHE STRING "" FORCE)
endif()
if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU" AND CMAKE_CXX_COMPILER_VERSION VERSION_LESS 12)
    message(FATAL_ERROR "modelseal needs GCC 12 or newer; this is ${CMAKE_CXX_COMPILER_VERSION}. Debian 12 has it as g++.")
endif()

option(MODELSEAL_TESTS "Build the tests" ${PROJECT_IS_TOP_LEVEL})
# Those that try everything, or wait for another program, show nothing more under sanitizers (preset checks).
set(MODELSEAL_TESTS_EXCEPT "" CACHE STRING "Tests that are not run, as a pattern of --gtest_filter")
option(MODELSEAL_EXAMPLES "Build the examples" ${PROJECT_IS_TOP_LEVEL})
option(MODELSEAL_FUZZ "Build the libFuzzer targets (needs clang; turns the sanitizers on)" OFF)
option(MODELSEAL_BENCH "Build the benchmarks" OFF)
option(MODELSEAL_EVIDENCE "Build the program that attacks real networks (needs LibTorch)" OFF)
option(MODELSEAL_WARNINGS_AS_ERRORS "Treat warnings as errors" OFF)
option(MODELSEAL_SANITIZE "Address and undefined-behavior sanitizers" OFF)

set(CMAKE_EXPORT_COMPILE_COMMANDS ON)
find_program(CCACHE_PROGRAM ccache)
if(CCACHE_PROGRAM AND NOT CMAKE_CXX_COMPILER_LAUNCHER)
    set(CMAKE_CXX_COMPILER_LAUNCHER ${CCACHE_PROGRAM})
endif()

add_library(modelseal_settings INTERFACE)
target_compile_features(modelseal_settings INTERFACE cxx_std_20)
target_include_directories(modelseal_settings INTERFACE ${PROJECT_SOURCE_DIR} ${PROJECT_SOURCE_DIR}/include
                                                        ${PROJECT_SOURCE_DIR}/src)
# No contraction of a*b+c: the deepisign scheme must give the same bits on every machine.
target_compile_options(modelseal_settings INTERFACE -Wall -Wextra -Wpedantic -Wshadow -Wconversion
                                                    -Wno-missing-field-initializers -ffp-contract=off)
if(MODELSEAL_WARNINGS_AS_ERRORS)
    target_compile_options(modelseal_settings INTERFACE -Werror)
endif()
# Fuzzing without sanitizers would miss most of what it finds, and the coverage hooks need their runtime.
if(MODELSEAL_SANITIZE OR MODELSEAL_FUZZ)
    target_compile_definitions(modelseal_settings INTERFACE _GLIBCXX_ASSERTIONS MODELSEAL_SANITIZED)
    set(instrumentation -fsanitize=address,undefined -fno-sanitize-recover=all -fno-omit-frame-pointer)
    if(MODELSEAL_FUZZ)
        list(APPEND instrumentation -fsanitize=fuzzer-no-link)
    endif()
    # A target may leave its own code out (MODELSEAL_UNINSTRUMENTED).
    set(wanted $<NOT:$<BOOL:$<TARGET_PROPERTY:MODELSEAL_UNINSTRUMENTED>>>)
    target_compile_options(modelseal_settings INTERFACE "$<${wanted}:${instrumentation}>")
    target_link_options(modelseal_settings INTERFACE -fsanitize=address,undefined)
endif()
