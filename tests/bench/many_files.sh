#!/usr/bin/env bash
# `check --from` over many small sealed models, beside the time that hashing the same files with OpenSSL takes in one process
# with as many threads. Both in processor time (user and system), which other work on the machine disturbs least, and in
# seconds; each figure is the median of ROUNDS.
#   tests/bench/many_files.sh [COUNT] [BYTES...]      default 10000 files of 50,000 and of 438,000 bytes
# FOLDER (default: a temporary one) needs COUNT times BYTES. Fifty models are sealed and copied, so that making them is quick.
# MODELSEAL names another program than the one of the bench preset.
set -euo pipefail
cd "$(dirname "$(readlink -f "$0")")/../.."
count=${1:-10000}
shift || true
sizes=("$@")
[ $# -gt 0 ] || sizes=(50000 438000)
rounds=${ROUNDS:-5} threads=${THREADS:-2}
cmake --preset bench >/dev/null
cmake --build --preset bench --target many_files >/dev/null
many_files=$PWD/build-bench/tests/bench/many_files
if [ -z "${MODELSEAL:-}" ]; then
    cmake --build --preset bench --target modelseal_program >/dev/null
    MODELSEAL=$PWD/build-bench/src/modelseal
fi
work=$(mktemp -d "${FOLDER:-/tmp}/modelseal-bench.XXXXXX")
trap 'rm -rf "$work"' EXIT

"$MODELSEAL" keygen "$work/v" --no-passphrase >/dev/null
cat >"$work/policy.toml" <<'END'
version = 1
[[vendor]]
name = "acme"
keys = ["v.pub"]
[[model]]
match = "**"
vendor = ["acme"]
END

timed() { # NAME COMMAND...: seconds and processor time, a line a round
    local name=$1 TIMEFORMAT='%R %U %S'
    shift
    { time "$@" >/dev/null; } 2>&1 | awk '{print $1, $2 + $3}' >>"$work/$name"
}
median() { sort -n | awk '{t[NR] = $1} END {print t[int((NR + 1) / 2)]}'; }
show() { # NAME
    local seconds processor peer
    seconds=$(cut -d' ' -f1 "$work/$1" | median)
    processor=$(cut -d' ' -f2 "$work/$1" | median)
    peer=$(cut -d' ' -f2 "$work/hash" | median)
    awk -v name="$1" -v s="$seconds" -v p="$processor" -v peer="$peer" -v n="$count" 'BEGIN {
        printf "  %-16s %8.2f s %8.2f s processor %8.3f ms a file   %5.2f of openssl\n", name, s, p, 1000 * p / n, p / peer}'
}
for bytes in "${sizes[@]}"; do
    rm -rf "$work/plain" "$work/models" "$work"/{hash,check,policy}
    mkdir "$work/plain" "$work/models"
    made=$((count < 50 ? count : 50))
    "$many_files" make "$work/plain" "$made" "$bytes"
    for ((i = 0; i < made; i++)); do
        "$MODELSEAL" seal "$work/plain/$i.safetensors" -k "$work/v.key" -o "$work/models/$i.safetensors" >/dev/null
    done
    for ((i = made; i < count; i++)); do cp "$work/models/$((i % made)).safetensors" "$work/models/$i.safetensors"; done
    find "$work/models" -name '*.safetensors' | sort >"$work/list"
    for ((i = 0; i < rounds; i++)); do
        timed hash "$many_files" hash "$work/list" "$threads"
        timed check "$MODELSEAL" check --from "$work/list" --pub "$work/v.pub" --json --jobs "$threads"
        timed policy "$MODELSEAL" check --from "$work/list" --policy "$work/policy.toml" --json --jobs "$threads"
    done
    echo "$count files of $(stat -c %s "$work/models/0.safetensors") bytes, $threads threads, median of $rounds"
    for name in hash check policy; do show "$name"; done
done
