#!/usr/bin/env bash
# Makes a Python with ONNX Runtime, which tests/oracle/oip_server.py serves models with: an engine that is not ours.
#   tests/oracle/onnxruntime.sh      prints the interpreter, to be given as MODELSEAL_ONNXRUNTIME
set -euo pipefail
if [ -n "${MODELSEAL_ONNXRUNTIME:-}" ]; then echo "$MODELSEAL_ONNXRUNTIME"; exit 0; fi
here=$(dirname "$(readlink -f "$0")")
exec "$here/../venv.sh" onnxruntime "$here/requirements.txt"
