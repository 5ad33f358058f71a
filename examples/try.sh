#!/usr/bin/env bash
# The main job on a real file: seal, check, change one bit, check again. On a fresh Debian 12 it installs what it needs.
#   examples/try.sh [MODEL]      without a model, a small network is made for it
model=${1:+$(readlink -f "$1")}
. "$(dirname "$(readlink -f "$0")")/begin.sh"
build plain small_network
if [ -z "$model" ]; then
    small_network network.safetensors
    model=network.safetensors
fi

say modelseal keygen vendor --no-passphrase
say modelseal seal "$model" -k vendor.key -o sealed.model --stamp version=1.0 --receipt sealed.receipt
say modelseal check sealed.model --pub vendor.pub

# One bit in the middle of the file.
cp sealed.model tampered.model
at=$(($(stat -c %s sealed.model) / 2))
flip tampered.model "$at" 1
printf '\n# the lowest bit of byte %s is flipped\n' "$at"
expect 1 modelseal check tampered.model --pub vendor.pub

say modelseal unseal sealed.model --receipt sealed.receipt -o original.model
cmp original.model "$model"
echo "the original is back, byte for byte"
