#!/usr/bin/env bash
# Makes a Python with ONNX Runtime, which tests/oracle/oip_server.py serves models with: an engine that is not ours.
#   tests/oracle/onnxruntime.sh      prints the interpreter, to be given as MODELSEAL_ONNXRUNTIME
#
# It lies in the cache (XDG_CACHE_HOME), made from tests/oracle/requirements.txt. Exits 1, saying why, if it cannot be
# had here; the tests then skip.
set -euo pipefail
wanted=$(dirname "$(readlink -f "$0")")/requirements.txt
folder=${XDG_CACHE_HOME:-$HOME/.cache}/modelseal/onnxruntime-$(sha256sum "$wanted" | cut -c1-12)
no() { echo "no ONNX Runtime: $*" >&2; exit 1; }

if [ -n "${MODELSEAL_ONNXRUNTIME:-}" ]; then echo "$MODELSEAL_ONNXRUNTIME"; exit 0; fi
if [ ! -e "$folder/complete" ]; then
    python3 -m venv --clear "$folder" >&2 || no "no virtual environment can be made"
    "$folder/bin/pip" install --quiet --disable-pip-version-check --only-binary :all: --requirement "$wanted" >&2 ||
        no "its packages cannot be had"
    touch "$folder/complete"
fi
echo "$folder/bin/python3"
