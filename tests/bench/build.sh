#!/usr/bin/env bash
# What a cold build costs: seconds of each stage without a compiler cache, and the ten slowest steps.
#   tests/bench/build.sh [FOLDER]      builds in FOLDER, a temporary one by default
set -euo pipefail
cd "$(dirname "$(readlink -f "$0")")/../.."
folder=${1:-$(mktemp -d)}
[ $# -gt 0 ] || trap 'rm -rf "$folder"' EXIT
export CCACHE_DISABLE=1
cmake --preset dev -B "$folder" -DMODELSEAL_TESTS=ON -DMODELSEAL_TORCH=ON >/dev/null

# name, target...: the targets of earlier stages are there already.
stage() {
    local name=$1 begun=$SECONDS
    shift
    ninja -C "$folder" "$@" >/dev/null
    printf '%-8s %5d s\n' "$name" $((SECONDS - begun))
}
printf '%s cores, %s\n' "$(nproc)" "$(sed -n 's/^model name.*: //p' /proc/cpuinfo | head -1)"
stage program modelseal_program small_network
stage worker modelseal_worker
stage tests all
printf '\nslowest steps\n'
awk 'NR > 1 {printf "%7.1f s  %s\n", ($2 - $1) / 1000, $4}' "$folder/.ninja_log" | sort -rn | head -10
