#!/usr/bin/env bash
# All that takes a graphics card, on a machine that has one, nvcc and a C++ compiler, and nothing else: builds the module
# and a program for it, compares every digest and packet with those of the processor, looks for races and stray accesses
# with compute-sanitizer, and prints a table. Takes four minutes or so.
#   tests/gpu/run.sh [OUT]           OUT (default: a temporary folder) keeps what is built and result.md
# With MODELSEAL (the program) its checks on card and processor are compared and timed as well; with MODELSEAL_WORKER (the
# worker, built against a LibTorch with CUDA) fingerprints, too. What could not be measured is said.
set -euo pipefail
cd "$(dirname "$(readlink -f "$0")")/../.."
out=${1:-$(mktemp -d)}
mkdir -p "$out"
exec > >(tee "$out/result.md") 2>&1
stage() { printf '\n## %s (%d s so far)\n\n' "$1" "$SECONDS"; }
nvcc=$(command -v nvcc || echo /usr/local/cuda/bin/nvcc)
cuda=$(dirname "$(dirname "$(readlink -f "$nvcc")")")

# Seconds of a command.
took() {
    local start
    start=$(date +%s.%N)
    "$@" >/dev/null || { printf 'failed, after '; }
    awk -v a="$start" -v b="$(date +%s.%N)" 'BEGIN {printf "%.2f", b - a}'
}

hashing() {
    stage "build"
    "$nvcc" --version | tail -2
    "$nvcc" -std=c++17 -O3 -shared -cudart static -Xcompiler=-fPIC,-fvisibility=hidden -lineinfo \
        -gencode arch=compute_80,code=sm_80 -gencode arch=compute_90,code=[sm_90,compute_90] \
        -I src src/hash/cuda/module.cu -o "$out/libmodelseal-cuda.so"
    "$nvcc" -std=c++17 -O2 -x c++ -I src tests/gpu/hash_on_card.cc -o "$out/hash_on_card" -ldl -lpthread
    stage "bit-exactness"
    "$out/hash_on_card" "$out/libmodelseal-cuda.so" check
    stage "compute-sanitizer"
    local sanitizer=$cuda/bin/compute-sanitizer
    [ -x "$sanitizer" ] || sanitizer=$cuda/compute-sanitizer/compute-sanitizer
    if [ -x "$sanitizer" ]; then
        for tool in memcheck racecheck synccheck initcheck; do
            echo "$tool:"
            timeout 90 "$sanitizer" --tool "$tool" --error-exitcode 9 "$out/hash_on_card" "$out/libmodelseal-cuda.so" check few |
                tail -3
        done
    else
        echo "not measured: no compute-sanitizer next to $nvcc"
    fi
    stage "hashing"
    "$out/hash_on_card" "$out/libmodelseal-cuda.so" table
    command -v openssl >/dev/null && openssl speed -seconds 1 -bytes 32768 -evp sha256 2>/dev/null | tail -1
}

# A check from the page cache, on the card and on the processor.
checking() {
    stage "check"
    if [ -z "${MODELSEAL:-}" ]; then
        echo "not measured: MODELSEAL is not set"
        return
    fi
    export MODELSEAL_CUDA_MODULE=$out/libmodelseal-cuda.so
    "$nvcc" -std=c++20 -O2 -x c++ tests/bench/large_model.cc -o "$out/large_model"
    "$out/large_model" "$out/model.safetensors" 8192
    "$MODELSEAL" keygen "$out/v" --no-passphrase
    "$MODELSEAL" seal "$out/model.safetensors" -k "$out/v.key" -o "$out/sealed.safetensors" --device cuda --quiet
    for device in cuda cpu; do
        printf 'check of 8 GiB, %s: %s s\n' "$device" \
            "$(took "$MODELSEAL" check "$out/sealed.safetensors" --pub "$out/v.pub" --device "$device")"
    done
    rm -f "$out/model.safetensors" "$out/sealed.safetensors"
}

# Fingerprints are the worker's; nothing of the above is needed for them.
fingerprints() {
    stage "fingerprints"
    if [ -z "${MODELSEAL:-}" ] || [ -z "${MODELSEAL_WORKER:-}" ] || [ -z "${MODELSEAL_TEST_DATA:-}" ]; then
        echo "not measured: MODELSEAL, MODELSEAL_WORKER or MODELSEAL_TEST_DATA is not set"
        return
    fi
    [ -e "$out/v.key" ] || "$MODELSEAL" keygen "$out/v" --no-passphrase
    local model name
    for model in "$MODELSEAL_TEST_DATA"/models/onnx/resnet*/model.onnx; do
        [ -e "$model" ] || continue
        name=$(basename "$(dirname "$model")")
        for device in cuda cpu; do
            printf '150 pairs of %s, %s: %s s\n' "$name" "$device" \
                "$(took timeout 60 "$MODELSEAL" fingerprint "$model" -k "$out/v.key" -o "$out/$name.$device.fp" --device "$device")"
        done
    done
}

hashing
checking
fingerprints
stage "done"
