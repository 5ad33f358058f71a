#!/usr/bin/env bash
# Signatures on a small network: sign it in a pipeline, verify it without modelseal, change a weight, replace the keys.
# Uses the modelseal on the PATH, or builds it.
set -euo pipefail
root=$(dirname "$(readlink -f "$0")")/..
cd "$root"
if ! command -v modelseal small_network >/dev/null; then
    {
        .ci/install packages-program
        cmake --preset dev
        cmake --build --preset dev --target modelseal_program small_network
    } >/tmp/modelseal-build.log 2>&1 || { cat /tmp/modelseal-build.log; exit 1; }
    PATH=$PWD/build/src:$PWD/build/examples:$PATH
fi
examples=$PWD/examples

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
export MODELSEAL_PASSPHRASE=example
mkdir model
small_network model/network.safetensors
printf '{"classes": 10}' >model/config.json
modelseal keygen 2026 --quiet
modelseal keygen 2026-sign --type p384 --quiet

say() { printf '\n$ %s\n' "$*"; "$@"; }
say "$examples/6_sign_in_a_pipeline.sh" model 2026-sign.key 2026-sign.pub model.sig
say "$examples/7_verify_without_modelseal.sh" model model.sig 2026-sign.pub
say modelseal inspect model.sig

cp -r model tampered
printf '{"classes": 11}' >tampered/config.json
for verify in "modelseal verify tampered --signature model.sig --pub 2026-sign.pub" \
    "$examples/7_verify_without_modelseal.sh tampered model.sig 2026-sign.pub"; do
    code=0
    say $verify || code=$?
    [ "$code" -eq 1 ] || { echo "expected exit code 1, got $code"; exit 1; }
done

modelseal seal model/network.safetensors -k 2026.key -o shipped.safetensors --quiet
say "$examples/8_replace_a_key.sh" model/network.safetensors shipped.safetensors 2026 2027 sealed.safetensors
