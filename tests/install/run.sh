#!/usr/bin/env bash
# Installs a build into a scratch folder, and builds programs with what is there: by CMake and by pkg-config.
#   tests/install/run.sh BUILD_FOLDER CXX
set -euo pipefail
build=$1 cxx=$2
here=$(dirname "$(readlink -f "$0")")
folder=$(mktemp -d)
trap 'rm -r "$folder"' EXIT
cmake --install "$build" --prefix "$folder/usr" --strip >/dev/null
CXX=$cxx cmake -S "$here/consumer" -B "$folder/build" -DCMAKE_PREFIX_PATH="$folder/usr" >/dev/null
cmake --build "$folder/build" >/dev/null
"$folder/build/from_c" | grep '^C [0-9]'
"$folder/build/from_cc" | grep '^C++ absent'

PKG_CONFIG_PATH=$(dirname "$(find "$folder/usr" -name modelseal-c.pc)")
export PKG_CONFIG_PATH
for package in modelseal modelseal-c; do  # the prefix in the files is the one of the build
    sed -i "s|^prefix=.*|prefix=$folder/usr|" "$PKG_CONFIG_PATH/$package.pc"
done
flags() { pkg-config --cflags --libs "$@"; }
# shellcheck disable=SC2046  # flags are words
cc -o "$folder/from_c" "$here/consumer/from_c.c" $(flags modelseal-c)
LD_LIBRARY_PATH=$(dirname "$PKG_CONFIG_PATH") "$folder/from_c" | grep '^C [0-9]'
# shellcheck disable=SC2046
"$cxx" -std=c++20 -o "$folder/from_cc" "$here/consumer/from_cc.cc" $(flags --static modelseal)
"$folder/from_cc" | grep '^C++ absent'
