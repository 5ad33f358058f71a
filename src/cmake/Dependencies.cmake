# What the library and the program link; Debian's package names are in .ci/packages-program.
find_package(PkgConfig REQUIRED)
find_package(Threads REQUIRED)
find_package(OpenSSL 3.0 REQUIRED)
find_package(ZLIB REQUIRED)
find_package(PNG REQUIRED)
find_package(JPEG REQUIRED)
find_package(fmt REQUIRED)
find_package(nlohmann_json REQUIRED)
find_package(CLI11 REQUIRED)
pkg_check_modules(SODIUM REQUIRED IMPORTED_TARGET libsodium)
pkg_check_modules(CURL REQUIRED libcurl>=7.85)  # headers alone: it is loaded when it is needed
pkg_check_modules(TOML REQUIRED IMPORTED_TARGET tomlplusplus)
pkg_check_modules(DEFLATE REQUIRED IMPORTED_TARGET libdeflate)
find_package(SQLite3 3.37 REQUIRED)  # tables that are STRICT
pkg_check_modules(P11 IMPORTED_TARGET libp11)  # keys on tokens; without it they are refused at run time
find_package(Boost 1.74 REQUIRED)  # Asio and Beast, headers alone
# The worker, which runs networks, is built where LibTorch (1.13 or newer) and libseccomp are found.
if(NOT DEFINED MODELSEAL_TORCH OR MODELSEAL_TORCH)
    # The Caffe2 that a given Torch looks for may be another LibTorch's.
    if(Torch_DIR AND NOT DEFINED Caffe2_DIR AND EXISTS ${Torch_DIR}/../Caffe2)
        set(Caffe2_DIR ${Torch_DIR}/../Caffe2)
    endif()
    find_package(Torch QUIET)
    pkg_check_modules(SECCOMP IMPORTED_TARGET libseccomp)
endif()
if(Torch_FOUND AND SECCOMP_FOUND)
    set(found_worker ON)
else()
    set(found_worker OFF)
endif()
option(MODELSEAL_TORCH "Build the worker that runs networks (needs LibTorch and libseccomp)" ${found_worker})
if(MODELSEAL_TORCH AND NOT found_worker)
    message(FATAL_ERROR "MODELSEAL_TORCH needs LibTorch and libseccomp; Debian 12 has them as libtorch-dev and "
                        "libseccomp-dev, or give -DTorch_DIR=")
endif()
if(MODELSEAL_TORCH)
    # LibTorch's headers share loops out among threads by OpenMP, and in silence by nothing without it.
    find_package(OpenMP REQUIRED COMPONENTS CXX)
    # A wheel of PyPI has the headers of its own fmt among LibTorch's, not the library.
    get_target_property(fmt_headers fmt::fmt INTERFACE_INCLUDE_DIRECTORIES)
    if(EXISTS ${TORCH_INSTALL_PREFIX}/include/fmt AND NOT ${TORCH_INSTALL_PREFIX}/include IN_LIST fmt_headers)
        target_compile_definitions(torch INTERFACE FMT_HEADER_ONLY)
    endif()
endif()
