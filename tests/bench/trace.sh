#!/usr/bin/env bash
# How long it takes to tell for whom a model that leaked was sealed, whole, with nine tenths overwritten, and not sealed
# at all, which takes longest; on 1, 2 and 4 threads. Each figure is the median of ROUNDS.
#   tests/bench/trace.sh [CUSTOMERS] [MiB]       default 10000 and 100
set -euo pipefail
cd "$(dirname "$(readlink -f "$0")")/../.."
customers=${1:-10000} size=${2:-100} rounds=${ROUNDS:-3}
cmake --preset bench >/dev/null
cmake --build --preset bench --target modelseal_program large_model many_customers >/dev/null
build=$PWD/build-bench
work=$(mktemp -d "${FOLDER:-/tmp}/modelseal-bench.XXXXXX")
trap 'rm -rf "$work"' EXIT
modelseal=$build/src/modelseal
cd "$work"
export MODELSEAL_LEDGER=$work/ledger

"$build/tests/bench/large_model" model "$size"
"$modelseal" keygen v --no-passphrase >/dev/null
/usr/bin/time -f "a ledger of $customers customers made in %e s" "$build/tests/bench/many_customers" ledger v.key "$customers"
"$modelseal" seal model -k v.key --for "c$((customers / 2))" -o whole >/dev/null
cp whole tenth
chmod u+w tenth
bytes=$(stat -c %s tenth)
dd if=/dev/urandom of=tenth bs=1M oflag=seek_bytes seek=4096 iflag=count_bytes count=$((bytes / 10 * 9)) conv=notrunc status=none

# Median seconds and greatest memory.
show() {
    local name=$1 i
    shift
    for ((i = 0; i < rounds; i++)); do
        /usr/bin/time -q -f '%e %M' -a -o times "$@" >/dev/null || true
    done
    sort -n times | awk -v name="$name" -v n="$rounds" '{t[NR] = $1; if ($2 > m) m = $2}
        END {printf "%-44s %7.2f s %7.1f MiB peak\n", name, t[int((n + 1) / 2)], m / 1024}'
    rm times
}
echo "$size MiB of float32, $customers customers, $(nproc) processors, median of $rounds"
for jobs in 1 2 4; do
    for leak in whole tenth model; do
        show "customer trace $leak --jobs $jobs" "$modelseal" customer trace "$leak" -k v.key --jobs "$jobs"
    done
done
