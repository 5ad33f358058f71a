#!/bin/bash
# Runs every fuzz target that is built: run.sh [SECONDS] [TARGET...]
#
# SECONDS a target, default 60; all targets found in FUZZ_BUILD (default build-checks beside the sources), JOBS of
# them at a time (default: one a core). Seeds are the real files of MODELSEAL_TEST_DATA, its hostile ones, and
# those in seeds/TARGET; what was learned stays in FUZZ_BUILD/corpus for the next run. Ends with a line a target.
# Exits 1 if there was a finding, whose input then lies in FUZZ_BUILD/findings.
set -u
here=$(cd "$(dirname "$0")" && pwd)
build=${FUZZ_BUILD:-$here/../../build-checks}
data=${MODELSEAL_TEST_DATA:-$here/../../../shared/data}
seconds=${1:-60}
shift || true
jobs=${JOBS:-$(nproc)}

[ -d "$build/tests/fuzz" ] || { echo "no fuzz targets at $build: tests/run.sh checks" >&2; exit 2; }
build=$(cd "$build" && pwd)
targets=("$@")
if [ ${#targets[@]} -eq 0 ]; then
    mapfile -t targets < <(find "$build/tests/fuzz" -maxdepth 1 -type f -name '*_fuzz' -executable -printf '%f\n' | sort)
fi
[ ${#targets[@]} -gt 0 ] || { echo "no fuzz targets at $build/tests/fuzz" >&2; exit 2; }
mkdir -p "$build/corpus" "$build/findings" "$build/logs"

# The folders with files of a target's format.
seeds() {
    case $1 in
        safetensors*) echo models/safetensors reports/st ;;
        gguf*) echo models/gguf hostile/gguf-corpus reports/gguf ;;
        onnx*) echo models/onnx onnx-node reports/onnx ;;
        pytorch* | pickle* | zip* | torch*)
            echo models/checkpoint models/torchscript reports/pt hostile/modelscan hostile/picklescan hostile/zip-yauzl ;;
        jpeg*) echo datasets/imagenet-samples ;;
        key* | certificates*) echo oms/model-transparency/keys ;;
        oms_trusted_root*) echo oms ;;
        oms*) echo oms/model-transparency oms/spec/v1.0 ;;
        shard_index*) echo reports/st ;;
        fingerprint* | ledger* | pkcs11_uri* | responses* | infer_answer* | worker_answer* | report* | timestamp* | sct* | oms_log* | git_push*) ;;  # no real ones
        oci* | http_answer* | png* | cifar* | idx* | identity* | header_file*) ;;  # likewise
        *) echo models hostile reports ;;
    esac
}

run() {
    local target=$1 folders=() folder
    mkdir -p "$build/corpus/$target"
    for folder in $(seeds "$target"); do
        [ -d "$data/$folder" ] && folders+=("$data/$folder")
    done
    [ -d "$here/seeds/$target" ] && folders+=("$here/seeds/$target")
    # Whatever is larger than max_len is read up to there; the front of a model file is what a parser looks at.
    "$build/tests/fuzz/$target" -max_total_time="$seconds" -max_len=65536 -rss_limit_mb=2048 -malloc_limit_mb=1024 \
        -timeout=10 -print_final_stats=1 -artifact_prefix="$build/findings/$target-" \
        "$build/corpus/$target" "${folders[@]}" >"$build/logs/$target.log" 2>&1
    echo $? >"$build/logs/$target.exit"
}

running=0
for target in "${targets[@]}"; do
    if [ "$running" -ge "$jobs" ]; then wait -n; running=$((running - 1)); fi
    run "$target" &
    running=$((running + 1))
done
wait

failed=0
for target in "${targets[@]}"; do
    log=$build/logs/$target.log
    executed=$(sed -n 's/^stat::number_of_executed_units: *//p' "$log")
    coverage=$(sed -n 's/.* cov: \([0-9]*\) .*/\1/p' "$log" | tail -1)
    if [ "$(cat "$build/logs/$target.exit")" = 0 ]; then
        echo "$target: no finding in ${executed:-?} runs, coverage ${coverage:-?}"
    else
        failed=1
        echo "$target: FINDING, see $log"
        grep -m 3 -E '^finding:|ERROR: |runtime error' "$log"
    fi
done
exit $failed
