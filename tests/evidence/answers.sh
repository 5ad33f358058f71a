#!/usr/bin/env bash
# Whether sealing changes an answer: copies of published networks with weights on a grid, sealed, on all test images.
#   tests/evidence/answers.sh MODELSEAL [IMAGES]      IMAGES: of each data set, all by default
# Prints a table in Markdown. Networks and data sets are those of MODELSEAL_TEST_DATA. Takes a few minutes.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
data=${MODELSEAL_TEST_DATA:-$here/../../../shared/data}
[ -d "$data/models" ] || { echo "answers.sh: no models in $data; set MODELSEAL_TEST_DATA" >&2; exit 1; }
python=$("$here/../oracle/onnxruntime.sh")
exec "$python" -B "$here/answers.py" "$(realpath "$1")" "$data" "${2:-10000}"
