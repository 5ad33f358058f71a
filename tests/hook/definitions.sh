#!/usr/bin/env bash
# Runs what the definitions for pre-commit and GitHub Actions, and the units of systemd, say.
#   tests/hook/definitions.sh PROGRAM SMALL_NETWORK      MODELSEAL_HOOK_PYTHON: an interpreter with tests/hook/requirements.txt
set -euo pipefail
here=$(dirname "$(readlink -f "$0")")
if [ -z "${MODELSEAL_HOOK_PYTHON:-}" ]; then
    echo "skipped: MODELSEAL_HOOK_PYTHON is not set; tests/venv.sh hook tests/hook/requirements.txt makes one"
    exit 77
fi
PATH=$(readlink -f "$(dirname "$1")"):$(readlink -f "$(dirname "$2")"):$(dirname "$MODELSEAL_HOOK_PYTHON"):$PATH
export PATH PYTHONDONTWRITEBYTECODE=1
exec "$MODELSEAL_HOOK_PYTHON" -m pytest -q -p no:cacheprovider "$here/test_definitions.py"
