# What the library and the program link; Debian's package names are in .ci/packages.
find_package(PkgConfig REQUIRED)
find_package(Threads REQUIRED)
find_package(OpenSSL 3.0 REQUIRED)
find_package(ZLIB REQUIRED)
find_package(PNG REQUIRED)
find_package(fmt REQUIRED)
find_package(nlohmann_json REQUIRED)
find_package(CLI11 REQUIRED)
pkg_check_modules(SODIUM REQUIRED IMPORTED_TARGET libsodium)
pkg_check_modules(DEFLATE REQUIRED IMPORTED_TARGET libdeflate)
find_package(SQLite3 3.37 REQUIRED)  # tables that are STRICT
pkg_check_modules(P11 IMPORTED_TARGET libp11)  # keys on tokens; without it they are refused at run time
find_package(Boost 1.74 REQUIRED)  # Asio and Beast, headers alone
# The module that runs networks is built where LibTorch (1.13 or newer) is found.
if(NOT DEFINED MODELSEAL_TORCH OR MODELSEAL_TORCH)
    find_package(Torch QUIET)
endif()
option(MODELSEAL_TORCH "Build the module that runs networks (needs LibTorch)" ${Torch_FOUND})
if(MODELSEAL_TORCH AND NOT Torch_FOUND)
    message(FATAL_ERROR "MODELSEAL_TORCH needs LibTorch; Debian 12 has it as libtorch-dev, or give -DTorch_DIR=")
endif()
