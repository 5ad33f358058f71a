#!/usr/bin/env bash
# Identity images on a small classifier of digits: mark it, admit two users, revoke one, claim the model. Takes a minute.
# Uses the modelseal on the PATH, or builds it with LibTorch.
set -euo pipefail
root=$(dirname "$(readlink -f "$0")")/..
cd "$root"
if ! command -v modelseal small_classifier >/dev/null; then
    {
        .ci/install packages-program packages-tests
        cmake --preset dev -DMODELSEAL_TORCH=ON
        cmake --build --preset dev --target modelseal_program modelseal_worker small_classifier
    } >/tmp/modelseal-build.log 2>&1 || { cat /tmp/modelseal-build.log; exit 1; }
    PATH=$PWD/build/src:$PWD/build/examples:$PATH
fi
examples=$PWD/examples

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
small_classifier .
modelseal keygen vendor --no-passphrase --quiet
say() { printf '\n$ %s\n' "$*"; "$@"; }
say "$examples/12_admit_users.sh" net.onnx data keys vendor out
