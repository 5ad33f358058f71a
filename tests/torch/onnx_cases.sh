#!/usr/bin/env bash
# Writes the single-operator cases of ONNX, which its package makes, once.
#   tests/torch/onnx_cases.sh      prints their folder, to be given as MODELSEAL_ONNX_CASES
set -euo pipefail
if [ -n "${MODELSEAL_ONNX_CASES:-}" ]; then echo "$MODELSEAL_ONNX_CASES"; exit 0; fi
here=$(dirname "$(readlink -f "$0")")
python=$("$here/../venv.sh" onnx-cases "$here/onnx_cases_requirements.txt")
folder=$(dirname "$(dirname "$python")")/cases
if [ ! -e "$folder" ]; then
    rm -rf "$folder.new"
    "$python" -W ignore "$here/onnx_cases.py" "$folder.new" >&2
    mv "$folder.new" "$folder"
fi
echo "$folder"
