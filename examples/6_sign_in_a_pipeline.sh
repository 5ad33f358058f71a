#!/usr/bin/env bash
# A release job that ships a model with a signature (OpenSSF Model Signing): the passphrase of the key comes from the
# environment, the signature is verified as users of the model will verify it, and any exit code but 0 stops the job.
#   MODELSEAL_PASSPHRASE=... examples/6_sign_in_a_pipeline.sh MODEL SIGNER.key SIGNER.pub OUT.sig
set -euo pipefail
model=$1 key=$2 pub=$3 out=$4

modelseal sign "$model" -k "$key" -o "$out" --quiet
modelseal verify "$model" --signature "$out" --pub "$pub" --json >"$out.verify.json"
