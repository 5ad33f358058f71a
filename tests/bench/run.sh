#!/usr/bin/env bash
# Seal and check beside openssl, sha256sum and b3sum on the same file in the same run, as ratios; 1, 2 and 4 threads;
# peak memory. Each figure is the median of ROUNDS.
#   tests/bench/run.sh [MiB]       default 2048; FOLDER (default: a temporary one) needs three times that
set -euo pipefail
cd "$(dirname "$(readlink -f "$0")")/../.."
size=${1:-2048}
rounds=${ROUNDS:-5}
cmake --preset bench >/dev/null
cmake --build --preset bench --target modelseal_program mark_bench large_model >/dev/null
build=$PWD/build-bench
work=$(mktemp -d "${FOLDER:-/tmp}/modelseal-bench.XXXXXX")
trap 'rm -rf "$work"' EXIT
modelseal=$build/src/modelseal

"$build/tests/bench/large_model" "$work/model.safetensors" "$size"
"$modelseal" keygen "$work/v" --no-passphrase >/dev/null
"$modelseal" seal "$work/model.safetensors" -k "$work/v.key" -o "$work/sealed.safetensors" >/dev/null
cat "$work/sealed.safetensors" >/dev/null     # into the page cache

# Median seconds and greatest memory of a command.
timed() {
    local i
    for ((i = 0; i < rounds; i++)); do
        /usr/bin/time -f '%e %M' -a -o "$work/times" "$@" >/dev/null
    done
    sort -n "$work/times" | awk -v n="$rounds" '{t[NR] = $1; if ($2 > m) m = $2} END {print t[int((n + 1) / 2)], m}'
    rm "$work/times"
}
peer=$(timed openssl dgst -sha256 "$work/sealed.safetensors" | cut -d' ' -f1)
show() {
    local name=$1; shift
    timed "$@" | awk -v name="$name" -v peer="$peer" -v size="$size" \
        '{printf "%-28s %7.2f s %7.2f GB/s   %5.2f of openssl   %6.1f MiB peak\n", name, $1, size * 1048576 / 1e9 / $1, $1 / peer, $2 / 1024}'
}
echo "$size MiB of float32 in the page cache, $(nproc) processors, median of $rounds"
show "openssl dgst -sha256" openssl dgst -sha256 "$work/sealed.safetensors"
show "sha256sum" sha256sum "$work/sealed.safetensors"
command -v b3sum >/dev/null && show "b3sum" b3sum "$work/sealed.safetensors"
show "cp" cp "$work/sealed.safetensors" "$work/copy"
for jobs in 1 2 4; do
    show "check --jobs $jobs" "$modelseal" check "$work/sealed.safetensors" --pub "$work/v.pub" --jobs $jobs
done
# Seal and signature: one command that reads once, and two that read twice.
"$modelseal" keygen "$work/s" --type p256 --no-passphrase >/dev/null
"$modelseal" sign "$work/sealed.safetensors" -k "$work/s.key" -o "$work/model.sig" >/dev/null
verify=("$modelseal" verify "$work/sealed.safetensors" --signature "$work/model.sig" --pub "$work/s.pub")
check=("$modelseal" check "$work/sealed.safetensors" --pub "$work/v.pub")
both() { "${check[@]}" && "${verify[@]}"; }
show "verify" "${verify[@]}"
show "check --signature" "${check[@]}" --signer "$work/s.pub" --signature "$work/model.sig"
show "check, then verify" bash -c "$(declare -p check verify); $(declare -f both); both"
for jobs in 1 2 4; do
    show "seal --jobs $jobs" "$modelseal" seal "$work/model.safetensors" -k "$work/v.key" -o "$work/copy" --jobs $jobs
done

"$build/tests/bench/large_model" "$work/small.safetensors" 1
"$modelseal" seal "$work/small.safetensors" -k "$work/v.key" -o "$work/small.sealed" >/dev/null
hundred() { for ((i = 0; i < 100; i++)); do "$@" >/dev/null; done; }
export -f hundred
peer=$(timed bash -c 'hundred "$@"' - openssl dgst -sha256 "$work/small.sealed" | cut -d' ' -f1)
check=$(timed bash -c 'hundred "$@"' - "$modelseal" check "$work/small.sealed" --pub "$work/v.pub" | cut -d' ' -f1)
echo "a 1 MiB model, 100 times: openssl dgst $peer s, check $check s, ratio $(echo "$check $peer" | awk '{printf "%.2f", $1 / $2}')"
echo
"$build/tests/bench/mark_bench"
