#!/usr/bin/env bash
# Fingerprints on a small network: make one for a customer, query the model, change one weight, query again. Uses the
# modelseal on the PATH, or builds it with LibTorch.
set -euo pipefail
root=$(dirname "$(readlink -f "$0")")/..
cd "$root"
if ! command -v modelseal small_network >/dev/null; then
    {
        .ci/install packages-program packages-tests
        cmake --preset dev -DMODELSEAL_TORCH=ON
        cmake --build --preset dev --target modelseal_program modelseal_worker small_network
    } >/tmp/modelseal-build.log 2>&1 || { cat /tmp/modelseal-build.log; exit 1; }
    PATH=$PWD/build/src:$PWD/build/examples:$PATH
fi
examples=$PWD/examples

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
small_network network.onnx
modelseal keygen vendor --no-passphrase --quiet

say() { printf '\n$ %s\n' "$*"; "$@"; }
say "$examples/4_ask_a_served_model.sh" network.onnx vendor.key acme network.onnx

# A weight of the last layer changes by about a thousandth.
at=$(modelseal inspect network.onnx | awk '$1 == "layers.2.weight" { gsub(",", "", $NF); print $NF + 1 }')
byte=$(od -An -tu1 -j "$at" -N 1 network.onnx)
cp network.onnx tampered.onnx
printf "$(printf '\\x%02x' $((byte ^ 32)))" | dd of=tampered.onnx bs=1 seek="$at" conv=notrunc status=none
say modelseal diff network.onnx tampered.onnx || true
code=0
say "$examples/4_ask_a_served_model.sh" network.onnx vendor.key acme tampered.onnx || code=$?
[ "$code" -eq 1 ] || { echo "expected exit code 1, got $code"; exit 1; }

# The same by generated triggers. They are farther from the borders between classes than pairs, and notice larger changes:
# here a quarter of the weights of a layer is pruned.
say "$examples/11_generated_triggers.sh" network.onnx vendor network.onnx triggers --width 16 --triggers 50
at=$(modelseal inspect network.onnx | awk '$1 == "layers.1.weight" { gsub(",", "", $NF); print $NF }')
cp network.onnx pruned.onnx
dd if=/dev/zero of=pruned.onnx bs=1 seek="$at" count=8192 conv=notrunc status=none
say modelseal diff network.onnx pruned.onnx || true
code=0
say "$examples/11_generated_triggers.sh" network.onnx vendor pruned.onnx triggers || code=$?
[ "$code" -eq 1 ] || { echo "expected exit code 1, got $code"; exit 1; }
