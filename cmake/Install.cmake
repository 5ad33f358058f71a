# Installed: the library with its headers, the program, the man pages; found by find_package(modelseal) and pkg-config.
