#!/usr/bin/env bash
# The worker with the LibTorch 2 of PyPI's torch, on processors alone: builds it, runs the torch tests and the examples that
# start a worker. With the daily build (tests/run.sh) also its tests that start one, and fingerprints across both workers.
#   tests/torch2/run.sh [BUILD [DAILY]]      BUILD (default: build-torch2) keeps what is built; DAILY (default: build)
# Downloads 540 MB once and builds for a quarter of an hour. Real models: MODELSEAL_TEST_DATA. Exits 77, saying why, where
# the packages of requirements.txt cannot be had.
set -euo pipefail
cd "$(dirname "$(readlink -f "$0")")/../.."
build=$(realpath -m "${1:-build-torch2}")
daily=$(realpath -m "${2:-build}")
data=${MODELSEAL_TEST_DATA:-$PWD/../shared/data}
stage() { printf '\n== %s (%d s so far)\n' "$1" "$SECONDS"; }

# Without what the packages depend on: see requirements.txt.
if ! python=$(PIP_NO_DEPS=1 tests/venv.sh torch2 tests/torch2/requirements.txt); then
    echo "skipped: PyPI's torch cannot be had here"
    exit 77
fi
torch=$("$python" -c 'import sysconfig; print(sysconfig.get_path("purelib"))')/torch

stage "build"
cmake --preset dev -B "$build" -DMODELSEAL_TORCH=ON -DMODELSEAL_TESTS=ON -DMODELSEAL_EXAMPLES=ON \
    -DTorch_DIR="$PWD/tests/torch2" -DTORCH_FOLDER="$torch"
cmake --build "$build" --target modelseal_program modelseal_worker modelseal_torch_tests small_network small_classifier

stage "torch tests"
MODELSEAL_ONNX_CASES=$(tests/torch/onnx_cases.sh) || echo "the test of all cases of ONNX will skip"
export MODELSEAL_ONNX_CASES
"$build/tests/torch/modelseal_torch_tests" --gtest_brief=1

# From here on programs find this worker: it lies next to the new program, and the daily ones are told.
export PATH=$build/src:$build/examples:$PATH
unset MODELSEAL_WORKER
stage "examples"
for example in fingerprint identity; do examples/try_$example.sh; done

stage "tests of the program"
if [ ! -x "$daily/tests/modelseal_tests" ] || [ ! -x "$daily/src/modelseal-worker" ]; then
    echo "skipped, as is the rest: no daily build; tests/run.sh makes it"
    exit 0
fi
# The suites of the files that ask for a worker. The wheel has MKL inside, so no other library of products can be put in its
# place when the worker starts.
suites=$(grep -rl MODELSEAL_NEED_TORCH tests --include='*_test.cc' | xargs grep -hoP '^TEST(_[FP])?\(\K\w+' | sort -u |
    sed 's/.*/&.*:*\/&.*/' | paste -sd:)
MODELSEAL_WORKER=$build/src/modelseal-worker "$daily/tests/modelseal_tests" --gtest_brief=1 \
    --gtest_filter="$suites:-FingerprintCommand.AnotherLibraryOfProductsIsAnotherRuntime"

stage "fingerprints across workers"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
modelseal keygen "$work/vendor" --no-passphrase --quiet

# across MODEL OPTION...: the fingerprint that either worker makes holds with both. With its own worker it holds to the bit.
across() {
    local model=$1 maker checker outcome made_on
    shift
    for maker in "$build" "$daily"; do
        MODELSEAL_WORKER=$maker/src/modelseal-worker modelseal fingerprint "$model" -k "$work/vendor.key" -o "$work/net.fp" \
            --quiet --device cpu "$@"
        made_on=$(modelseal inspect "$work/net.fp" --pub "$work/vendor.pub" | grep -oP 'LibTorch \K[^,]+')
        for checker in "$build" "$daily"; do
            outcome=$(MODELSEAL_WORKER=$checker/src/modelseal-worker modelseal check "$model" --pub "$work/vendor.pub" \
                --fingerprint "$work/net.fp" --black-box --device cpu --json |
                "$python" -c 'import json, sys; print(json.load(sys.stdin)["checks"][0]["outcome"])') || true
            printf '%-24s made on LibTorch %s, checked by the worker of %s: %s\n' "$(basename "$model")" "$made_on" \
                "$(realpath --relative-to=. "$checker")" "$outcome"
            [ "$outcome" = intact ] || { [ "$outcome" = other-runtime ] && [ "$maker" != "$checker" ]; } || return 1
        done
        rm "$work/net.fp"
    done
}
small_network "$work/small.onnx"
across "$work/small.onnx"
if [ -d "$data/models" ]; then
    across "$data/models/onnx/burn-mnist.onnx"
    across "$data/models/torchscript/cifar10-resnet20.pt" --input-shape 3,32,32
else
    echo "real networks: skipped, no models at $data (MODELSEAL_TEST_DATA)"
fi
stage "done"
