#!/usr/bin/env bash
# A release job: the passphrase of the key comes from the environment, the stamp states the version, the sealed file is
# checked as the customer will check it, and any exit code but 0 stops the job.
#   MODELSEAL_PASSPHRASE=... examples/1_seal_in_a_pipeline.sh MODEL VERSION VENDOR.key VENDOR.pub OUT
set -euo pipefail
model=$1 version=$2 key=$3 pub=$4 out=$5

modelseal seal "$model" -k "$key" -o "$out" --stamp version="$version" --receipt "$out.receipt" --quiet
modelseal check "$out" --pub "$pub" --expect version="$version" --json >"$out.check.json"
