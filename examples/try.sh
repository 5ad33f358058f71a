#!/usr/bin/env bash
# The main job on a real file: seal, check, change one bit, check again. On a fresh Debian 12 it installs what it needs.
#   examples/try.sh [MODEL]      without a model, a small network is made for it
set -euo pipefail
root=$(dirname "$(readlink -f "$0")")/..
model=${1:+$(readlink -f "$1")}
cd "$root"
{
    .ci/install packages-program
    # The program alone, unless this tree builds more already.
    [ -e build/build.ninja ] || cmake --preset dev -DMODELSEAL_TESTS=OFF -DMODELSEAL_TORCH=OFF
    cmake --build --preset dev --target modelseal_program small_network
} >/tmp/modelseal-build.log 2>&1 || { cat /tmp/modelseal-build.log; exit 1; }
PATH=$PWD/build/src:$PWD/build/examples:$PATH

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
if [ -z "$model" ]; then
    small_network network.safetensors
    model=network.safetensors
fi
say() { printf '\n$ %s\n' "$*"; "$@"; }

say modelseal keygen vendor --no-passphrase
say modelseal seal "$model" -k vendor.key -o sealed.model --stamp version=1.0 --receipt sealed.receipt
say modelseal check sealed.model --pub vendor.pub

# One bit in the middle of the file.
cp sealed.model tampered.model
at=$(($(stat -c %s sealed.model) / 2))
byte=$(od -An -tu1 -j "$at" -N 1 sealed.model)
printf "$(printf '\\x%02x' $((byte ^ 1)))" | dd of=tampered.model bs=1 seek="$at" conv=notrunc status=none
printf '\n# the lowest bit of byte %s is flipped\n' "$at"
printf '$ modelseal check tampered.model --pub vendor.pub\n'
code=0
modelseal check tampered.model --pub vendor.pub || code=$?
[ "$code" -eq 1 ] || { echo "expected exit code 1, got $code"; exit 1; }

say modelseal unseal sealed.model --receipt sealed.receipt -o original.model
cmp original.model "$model"
echo "the original is back, byte for byte"
