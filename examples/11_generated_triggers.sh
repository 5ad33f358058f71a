#!/usr/bin/env bash
# A query-only model, by generated triggers: pictures near the borders between classes, made by a small generator that is
# trained against the model. SERVED is a URL (http://HOST/v2/models/NAME), exec:COMMAND, or a file that is run instead of read.
#   examples/11_generated_triggers.sh MODEL VENDOR SERVED OUT-FOLDER [OPTIONS]
# VENDOR: VENDOR.key and VENDOR.pub. OPTIONS go to 'modelseal fingerprint', as --input-shape 3,32,32 --input-range 0,1.
set -euo pipefail
model=$1 vendor=$2 served=$3 out=$4
shift 4
mkdir -p "$out"

# The vendor, once. The model file stays as it is. The preview shows the triggers, which are as secret as the fingerprint.
[ -e "$out/triggers.fp" ] ||
    modelseal fingerprint "$model" -k "$vendor.key" -o "$out/triggers.fp" --method generator --preview "$out/triggers.png" "$@"
modelseal inspect "$out/triggers.fp"

# At any time. Exit code 0: the model that was recorded; 1: another one; 3: no answer.
modelseal check "$served" --pub "$vendor.pub" --fingerprint "$out/triggers.fp" --black-box
