#!/usr/bin/env bash
# Tests what others make of the reports of `check`.
#   tests/pages/run.sh page PROGRAM        the HTML page, in Chromium
#   tests/pages/run.sh formats PROGRAM     SARIF and JUnit XML; MODELSEAL_REPORTS_PYTHON: an interpreter with requirements.txt
set -euo pipefail
here=$(dirname "$(readlink -f "$0")")
python=python3
if [ "$1" = formats ]; then
    if [ -z "${MODELSEAL_REPORTS_PYTHON:-}" ]; then
        echo "skipped: MODELSEAL_REPORTS_PYTHON is not set; tests/venv.sh reports tests/pages/requirements.txt makes one"
        exit 77
    fi
    python=$MODELSEAL_REPORTS_PYTHON
fi
export PYTHONDONTWRITEBYTECODE=1
exec "$python" "$here/$1_test.py" "$2"
