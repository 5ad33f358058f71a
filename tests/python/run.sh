#!/usr/bin/env bash
# Tests the Python module in the source tree on a C library that was built.
#   tests/python/run.sh PROGRAM C_LIBRARY      MODELSEAL_PYTHON: an interpreter with tests/python/requirements.txt
set -euo pipefail
here=$(dirname "$(readlink -f "$0")")
if [ -z "${MODELSEAL_PYTHON:-}" ]; then
    echo "skipped: MODELSEAL_PYTHON is not set; tests/venv.sh python tests/python/requirements.txt makes one"
    exit 77
fi
export MODELSEAL_PROGRAM=$1 MODELSEAL_C_LIBRARY=$2 PYTHONPATH=$here/../../src/python PYTHONDONTWRITEBYTECODE=1
exec "$MODELSEAL_PYTHON" -m pytest -q -p no:cacheprovider "$here"
