#!/usr/bin/env bash
# Verifying beside openssl, as ratios: eight files of MiB, and one as large as all of them, in the page cache. openssl
# hashes the same files before each round of ours, so that a machine that slows down slows both; every figure is the
# median of ROUNDS.
#   tests/bench/verify.sh [MiB]       default 256; FOLDER (default: a temporary one) needs sixteen times that
# MODELSEAL names another program than the one of the bench preset.
set -euo pipefail
cd "$(dirname "$(readlink -f "$0")")/../.."
size=${1:-256}
rounds=${ROUNDS:-5}
if [ -z "${MODELSEAL:-}" ]; then
    cmake --preset bench >/dev/null
    cmake --build --preset bench --target modelseal_program >/dev/null
    MODELSEAL=$PWD/build-bench/src/modelseal
fi
work=$(mktemp -d "${FOLDER:-/tmp}/modelseal-bench.XXXXXX")
trap 'rm -rf "$work"' EXIT

# Bytes without pattern, cheaply: AES in counter mode over zeros.
fill() { head -c "$1" /dev/zero | openssl enc -aes-128-ctr -K 00 -iv "$2" 2>/dev/null >"$3" || true; }
mkdir "$work/eight" "$work/one"
for i in 1 2 3 4 5 6 7 8; do
    fill "$((size << 20))" "0$i" "$work/eight/model-0000$i-of-00008.bin"
done
fill "$((size << 23))" 09 "$work/one/model.bin"
"$MODELSEAL" keygen "$work/signer" --type p256 --no-passphrase >/dev/null
for model in eight one; do
    "$MODELSEAL" sign "$work/$model" -k "$work/signer.key" -o "$work/$model.sig" >/dev/null
done

seconds() { # of a command
    local begin=$EPOCHREALTIME
    "$@" >/dev/null
    echo "$begin $EPOCHREALTIME" | awk '{print $2 - $1}'
}
median() { sort -n | awk '{t[NR] = $1} END {print t[int((NR + 1) / 2)]}'; }
compare() { # NAME GOAL MODEL JOBS
    local i peer ours
    : >"$work/peer"; : >"$work/ours"; : >"$work/ratio"
    for ((i = 0; i < rounds; i++)); do
        peer=$(seconds openssl dgst -sha256 "$work/$3"/*)
        ours=$(seconds "$MODELSEAL" verify "$work/$3" --signature "$work/$3.sig" --pub "$work/signer.pub" --jobs "$4")
        echo "$peer" >>"$work/peer"
        echo "$ours" >>"$work/ours"
        echo "$peer $ours" | awk '{print $2 / $1}' >>"$work/ratio"
    done
    awk -v name="$1" -v goal="$2" -v peer="$(median <"$work/peer")" -v ours="$(median <"$work/ours")" \
        -v ratio="$(median <"$work/ratio")" -v bytes="$((size << 23))" 'BEGIN {
        printf "%-34s openssl %6.2f s   verify %6.2f s %6.2f GB/s   ratio %5.3f   goal %s\n",
            name, peer, ours, bytes / 1e9 / ours, ratio, goal}'
}
echo "$(nproc) processors, median of $rounds"
compare "eight files of $size MiB, 4 threads" 0.35 eight 4
compare "eight files of $size MiB, 1 thread" 1.05 eight 1
compare "one file of $((size * 8)) MiB, 4 threads" 1.05 one 4
compare "one file of $((size * 8)) MiB, 1 thread" 1.05 one 1
